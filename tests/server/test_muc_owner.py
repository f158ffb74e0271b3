"""Owning rooms: the configuration form and destruction (XEP-0045 §10)."""

import pytest

from kit import ns
from kit.muc import change, configuration, configure, create, drain, enter, form, items, join, party
from kit.people import People
from kit.stanzas import Element, codes, error, find, find_all, form_fields, form_values, item, show, text
from kit.wire import Client

GET = f"<query xmlns='{ns.MUC_OWNER}'/>"
PREFIX = "muc#roomconfig_"
# field: type, default; None where the default says nothing
FIELDS: dict[str, tuple[str, list[str] | None]] = {
    PREFIX + "roomname": ("text-single", None),
    PREFIX + "roomdesc": ("text-single", None),
    PREFIX + "lang": ("text-single", None),
    PREFIX + "persistentroom": ("boolean", ["1"]),
    PREFIX + "publicroom": ("boolean", ["0"]),
    PREFIX + "membersonly": ("boolean", ["0"]),
    PREFIX + "moderatedroom": ("boolean", ["0"]),
    PREFIX + "passwordprotectedroom": ("boolean", ["0"]),
    PREFIX + "roomsecret": ("text-private", None),
    PREFIX + "whois": ("list-single", ["moderators"]),
    PREFIX + "changesubject": ("boolean", ["0"]),
    PREFIX + "allowinvites": ("boolean", ["1"]),
    PREFIX + "allowpm": ("list-single", ["anyone"]),
    PREFIX + "presencebroadcast": ("list-multi", ["moderator", "participant", "visitor"]),
    PREFIX + "getmemberlist": ("list-multi", None),
    PREFIX + "maxusers": ("list-single", ["none"]),
    PREFIX + "enablelogging": ("boolean", ["0"]),
    PREFIX + "roomadmins": ("jid-multi", None),
    PREFIX + "roomowners": ("jid-multi", None),
    "muc#maxhistoryfetch": ("text-single", ["50"]),
}


def plain(values: list[str]) -> list[str]:
    """Values with booleans in one spelling."""
    return [{"true": "1", "false": "0"}.get(value, value) for value in values]


def setting(owner: Client, room: str, field: str) -> list[str]:
    return plain(form_values(owner.get(GET, room)).get(field, []))


def notices(stanzas: list[Element]) -> set[str]:
    """The status codes of the room's own messages among these."""
    found: set[str] = set()
    for stanza in stanzas:
        if stanza.tag == "message":
            found |= codes(stanza)
    return found


# The form


def test_the_form_has_every_field_with_its_default(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    reply = ann.get(GET, room)
    fields, values = form_fields(reply), form_values(reply)
    assert values["FORM_TYPE"] == [ns.MUC_ROOM_CONFIG]
    for var, (type, default) in FIELDS.items():
        assert var in fields, f"no field {var}"
        assert fields[var].get("type") == type or (type, fields[var].get("type")) == ("text-single", "list-single"), var
        if default is not None:
            assert plain(values[var]) == default, var
    assert values[PREFIX + "roomowners"] == [ann.bare]
    for var in ("whois", "allowpm"):
        options = {text(option, "data:value") for option in find_all(fields[PREFIX + var], "data:option")}
        wanted = {"moderators", "anyone"} if var == "whois" else {"anyone", "participants", "moderators", "none"}
        assert options >= wanted


def test_a_new_room_offers_its_form_before_it_is_unlocked(ann: Client, room: str) -> None:
    enter(ann, room, "Ann")
    assert form_values(ann.get(GET, room))["FORM_TYPE"] == [ns.MUC_ROOM_CONFIG]
    configure(ann, room, roomname="Tea", membersonly="1")
    assert setting(ann, room, PREFIX + "roomname") == ["Tea"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("roomname", "Tea &amp; talk"),
        ("roomdesc", "of an evening"),
        ("lang", "de"),
        ("persistentroom", "0"),
        ("publicroom", "1"),
        ("membersonly", "1"),
        ("moderatedroom", "1"),
        ("whois", "anyone"),
        ("changesubject", "1"),
        ("allowinvites", "0"),
        ("allowpm", "none"),
        ("presencebroadcast", ["moderator"]),
        ("maxusers", "10"),
        ("enablelogging", "1"),
        ("muc__maxhistoryfetch", "7"),
    ],
)
def test_a_field_that_was_set_keeps_its_value_and_leaves_the_others(
    ann: Client, room: str, field: str, value: str | list[str]
) -> None:
    create(ann, room, "Ann")
    before = form_values(ann.get(GET, room))
    configure(ann, room, **{field: value})
    ann.sync(f"{room}/Ann")
    after = form_values(ann.get(GET, room))
    var = field.replace("__", "#") if "__" in field else PREFIX + field
    expected = [each.replace("&amp;", "&") for each in ([value] if isinstance(value, str) else value)]
    assert plain(after.pop(var)) == expected
    before.pop(var)
    assert after == before


@pytest.mark.parametrize(("true", "false"), [("1", "0"), ("true", "false")])
def test_a_boolean_has_two_spellings(ann: Client, room: str, true: str, false: str) -> None:
    create(ann, room, "Ann")
    for value, expected in ((true, "1"), (false, "0")):
        configure(ann, room, publicroom=value)
        ann.sync(f"{room}/Ann")
        assert setting(ann, room, PREFIX + "publicroom") == [expected]


@pytest.mark.parametrize(
    "fields",
    [
        {"publicroom": "perhaps"},
        {"whois": "nobody"},
        {"allowpm": "friends"},
        {"maxusers": "many"},
        {"maxusers": "-1"},
        {"presencebroadcast": ["king"]},
        {"muc__maxhistoryfetch": "all"},
        {"roomowners": ["@"]},
        {"passwordprotectedroom": "1"},
    ],
    ids=str,
)
def test_an_invalid_value_is_not_acceptable_and_changes_nothing(
    ann: Client, ben: Client, room: str, fields: dict[str, str | list[str]]
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    before = form_values(ann.get(GET, room))
    assert error(ann.iq("set", configuration(roomname="changed", **fields), room))[1] == "not-acceptable"
    assert form_values(ann.get(GET, room)) == before
    ben.nothing_before(f"{room}/Ben")


def test_a_form_of_another_type_is_refused(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    query = f"<query xmlns='{ns.MUC_OWNER}'>{form('urn:example:form', muc__roomconfig_roomname='x')}</query>"
    assert ann.refused("set", query, room)[1] in ("bad-request", "not-acceptable")


def test_cancelling_the_form_changes_nothing(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='cancel'/></query>", room)
    ann.nothing_before(f"{room}/Ann")
    ben.nothing_before(f"{room}/Ben")


@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize("who", ["outsider", "participant", "member", "admin"])
def test_the_form_is_for_owners(ann: Client, ben: Client, room: str, who: str, type: str) -> None:
    create(ann, room, "Ann")
    if who in ("member", "admin"):
        ann.set(change(jid=ben.bare, affiliation=who), room)
    if who != "outsider":
        enter(ben, room, "Ben")
    payload = GET if type == "get" else configuration(roomname="mine")
    assert ben.refused(type, payload, room) == ("auth", "forbidden")
    assert setting(ann, room, PREFIX + "roomname") in ([], [""])


# What everybody is told (§10.2.1)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {"roomname": "Tea"}, {"104"}),
        ({}, {"moderatedroom": "1"}, {"104"}),
        ({}, {"enablelogging": "1"}, {"170"}),
        ({"enablelogging": "1"}, {"enablelogging": "0"}, {"171"}),
        ({}, {"whois": "anyone"}, {"172"}),
        ({"whois": "anyone"}, {"whois": "moderators"}, {"173"}),
    ],
    ids=["name", "moderated", "logging", "no logging", "non-anonymous", "semi-anonymous"],
)
def test_everybody_is_told_of_a_change(
    ann: Client, ben: Client, room: str, before: dict[str, str], after: dict[str, str], told: set[str]
) -> None:
    party(room, {"Ann": ann, "Ben": ben}, **before)
    configure(ann, room, **after)
    for nick, client in (("Ann", ann), ("Ben", ben)):
        came = client.sync(f"{room}/{nick}")
        assert notices(came) - {"104"} == told - {"104"}, [show(each) for each in came]
        assert notices(came) >= told
        for stanza in came:
            if stanza.tag == "message":
                assert stanza.get("from") == room
                assert stanza.get("type") == "groupchat"
                assert text(stanza, "body") is None


def test_a_form_that_changes_nothing_is_no_news(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, roomname="Tea")
    configure(ann, room, roomname="Tea")
    assert "172" not in notices(ben.sync(f"{room}/Ben"))


def test_addresses_are_shown_once_the_room_is_non_anonymous(
    guests: People, ann: Client, ben: Client, room: str
) -> None:
    cat = guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    configure(ann, room, whois="anyone")
    entry = enter(cat, room, "Cat")
    assert {item(presence).get("jid") for presence in entry.others} == {ann.jid, ben.jid}


# Members only (§10.2; 322)


def test_who_is_no_member_is_removed_when_the_room_becomes_members_only(
    guests: People, ann: Client, ben: Client, room: str
) -> None:
    cat = guests.online()
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.set(change(jid=cat.bare, affiliation="member"), room)
    drain(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    configure(ann, room, membersonly="1")
    gone = ben.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    assert gone.get("from") == f"{room}/Ben"
    assert {"110", "322"} <= codes(gone)
    seen = cat.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    assert seen.get("from") == f"{room}/Ben"
    assert "322" in codes(seen)
    assert item(seen)["role"] == "none"
    cat.sync(f"{room}/Cat")


def test_in_an_open_room_anybody_enters_again(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", membersonly="1")
    ben.send(join(room, "Ben"))
    ben.expect_error("presence", "registration-required")
    configure(ann, room, membersonly="0")
    enter(ben, room, "Ben")


# What the fields do


def test_a_moderated_room_takes_voice_from_those_without_affiliation(ann: Client, ben: Client, room: str) -> None:
    """Whoever enters after the change is a visitor; of those inside, XEP-0045 says nothing."""
    create(ann, room, "Ann")
    configure(ann, room, moderatedroom="1")
    assert item(enter(ben, room, "Ben").own)["role"] == "visitor"


def test_owners_and_admins_can_be_set_by_the_form(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    configure(ann, room, roomadmins=[ben.bare])
    seen = ben.wait_for(lambda stanza: stanza.tag == "presence")
    assert item(seen)["affiliation"] == "admin"
    ann.sync(f"{room}/Ann")
    assert [each["jid"] for each in items(ann, room, affiliation="admin")] == [ben.bare]
    configure(ann, room, roomowners=[ann.bare, ben.bare])
    ann.sync(f"{room}/Ann")
    assert {each["jid"] for each in items(ann, room, affiliation="owner")} == {ann.bare, ben.bare}


def test_a_room_needs_an_owner(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    reply = ann.iq("set", configuration(roomowners=[]), room)
    assert reply.get("type") == "error", show(reply)
    assert [each["jid"] for each in items(ann, room, affiliation="owner")] == [ann.bare]


def test_a_changed_password_is_the_one_that_counts(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", passwordprotectedroom="1", roomsecret="old")
    configure(ann, room, roomsecret="new")
    ben.send(join(room, "Ben", password="old"))
    ben.expect_error("presence", "not-authorized")
    enter(ben, room, "Ben", password="new")


def test_a_password_can_be_taken_away(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", passwordprotectedroom="1", roomsecret="old")
    configure(ann, room, passwordprotectedroom="0")
    enter(ben, room, "Ben")


# Destroying (§10.9)


def destroy(jid: str = "", reason: str = "", password: str = "") -> str:
    inside = f"<reason>{reason}</reason>" if reason else ""
    inside += f"<password>{password}</password>" if password else ""
    where = f" jid='{jid}'" if jid else ""
    return f"<query xmlns='{ns.MUC_OWNER}'><destroy{where}>{inside}</destroy></query>"


def test_destroying_removes_everybody_from_his_own_place(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<iq type='set' id='d' to='{room}'>{destroy(f'new-{room}', 'moved')}</iq>")
    came = ann.expect_all(lambda stanza: stanza.get("id") == "d", lambda stanza: stanza.tag == "presence")
    own = next(stanza for stanza in came if stanza.tag == "presence")
    for nick, presence in (("Ann", own), ("Ben", ben.expect("presence", type="unavailable"))):
        assert presence.get("from") == f"{room}/{nick}"
        assert item(presence)["role"] == "none"
        assert item(presence)["affiliation"] == "none"
        destroyed = find(presence, "user:x/user:destroy")
        assert destroyed is not None
        assert destroyed.get("jid") == f"new-{room}"
        assert text(destroyed, "user:reason") == "moved"
    ann.nothing_before()
    ben.nothing_before()


def test_a_destroyed_room_is_gone(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", roomname="Tea")
    ann.send(f"<message type='groupchat' to='{room}'><body>old</body></message>")
    ann.sync(f"{room}/Ann")
    ann.set(destroy(), room)
    ann.wait_for(lambda stanza: stanza.tag == "presence")
    ann.send(f"<message type='groupchat' to='{room}' id='m'><body>hello?</body></message>")
    ann.expect("message", type="error", id="m")
    entry = enter(ben, room, "Ben")
    assert "201" in entry.codes
    assert entry.history == []


@pytest.mark.parametrize("who", ["outsider", "participant", "admin"])
def test_destroying_is_for_owners(ann: Client, ben: Client, room: str, who: str) -> None:
    create(ann, room, "Ann")
    if who == "admin":
        ann.set(change(jid=ben.bare, affiliation=who), room)
    if who != "outsider":
        enter(ben, room, "Ben")
    drain(room, {"Ann": ann})
    assert ben.refused("set", destroy(), room) == ("auth", "forbidden")
    ann.nothing_before(f"{room}/Ann")


def test_destroying_what_is_not_there(ann: Client, room: str) -> None:
    assert ann.refused("set", destroy(), room)[1] in ("item-not-found", "forbidden")


def test_an_alternative_that_is_no_address(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    assert ann.refused("set", destroy("@"), room) in {("modify", "jid-malformed"), ("modify", "bad-request")}
    ann.nothing_before(f"{room}/Ann")
