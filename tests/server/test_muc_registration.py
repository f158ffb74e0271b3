"""Registering with a room (XEP-0045 §7.10, §7.12, §9.9; XEP-0077)."""

from kit import ns
from kit.muc import configuration, configure, create, drain, enter, form, items, join, party
from kit.people import People
from kit.stanzas import codes, find, form_fields, form_values, item, text
from kit.wire import Client

QUERY = f"<query xmlns='{ns.REGISTER}'>%s</query>"
ASK = QUERY % ""
REMOVE = QUERY % "<remove/>"
MINE = f"<query xmlns='{ns.DISCO_INFO}' node='x-roomuser-item'/>"


def wish(nick: str) -> str:
    return QUERY % form(ns.MUC_REGISTER, muc__register_roomnick=nick)


def features(client: Client, room: str) -> set[str]:
    query = client.get(f"<query xmlns='{ns.DISCO_INFO}'/>", room)
    return {each.get("var", "") for each in query.iter(f"{{{ns.DISCO_INFO}}}feature")}


def test_registering_gives_membership_and_a_nickname(guests: People, room: str) -> None:
    ann, ben, eve = guests.online(), guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    assert ns.REGISTER in features(ben, room)
    asked = ben.get(ASK, room)
    assert find(asked, "register:query/register:registered") is None
    assert form_values(asked)["FORM_TYPE"] == [ns.MUC_REGISTER]
    assert find(form_fields(asked)["muc#register_roomnick"], "data:required") is not None
    ben.send(f"<iq type='set' id='r' to='{room}'>{wish('Benny')}</iq>")
    ben.expect("iq", type="result", id="r")
    for client in (ben, ann):
        told = client.expect("presence", from_=f"{room}/Ben")
        assert (item(told)["affiliation"], item(told)["role"]) == ("member", "participant")
    assert {"affiliation": "member", "jid": ben.bare, "nick": "Benny"} in items(ann, room, affiliation="member")
    assert text(ben.get(ASK, room), "register:query/register:username") == "Benny"
    identity = find(ben.get(MINE, room), "info:query/info:identity")
    assert identity is not None
    assert (identity.get("category"), identity.get("type"), identity.get("name")) == ("conference", "text", "Benny")
    eve.send(join(room, "benny"))
    eve.expect_error("presence", "conflict", "cancel")
    assert eve.refused("set", wish("Benny"), room) == ("cancel", "conflict")
    assert eve.refused("set", wish("Ann"), room) == ("cancel", "conflict")


def test_a_registration_ends_when_its_owner_wants(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    party(room, {"Ann": ann, "Ben": ben})
    assert ben.refused("set", REMOVE, room) == ("auth", "registration-required")
    ben.set(wish("Ben"), room)
    drain(room, {"Ann": ann, "Ben": ben})
    ben.set(REMOVE, room)
    assert item(ann.expect("presence", from_=f"{room}/Ben"))["affiliation"] == "none"
    assert items(ann, room, affiliation="member") == []


def test_what_is_no_form_is_refused(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann")
    assert ben.refused("set", ASK, room) == ("modify", "bad-request")
    assert ben.refused("set", QUERY % form("other", muc__register_roomnick="Ben"), room) == ("modify", "bad-request")
    assert ben.refused("set", QUERY % form(ns.MUC_REGISTER), room) == ("modify", "not-acceptable")
    assert ben.refused("set", wish(""), room) == ("modify", "jid-malformed")
    assert ben.refused("get", ASK, "nowhere@conference.localhost") == ("cancel", "item-not-found")


def test_an_owner_may_switch_it_off(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann")
    ann.set(configuration(**{"x-muc__roomconfig_registration": "0"}), room)
    assert ns.REGISTER not in features(ben, room)
    assert ben.refused("get", ASK, room) == ("cancel", "not-allowed")
    assert ben.refused("set", wish("Ben"), room) == ("cancel", "not-allowed")


def test_members_only_rooms_ask_their_owner_even_if_he_is_offline(people: People, room: str) -> None:
    ann, ben = people.online(), people.online()
    create(ann, room, "Ann", membersonly="1")
    owner = ann.jid.split("@")[0]
    ann.close()
    ben.send(join(room, "Ben"))
    ben.expect_error("presence", "registration-required", "auth")
    ben.set(wish("Ben"), room)
    ben.send(join(room, "Ben"))
    ben.expect_error("presence", "registration-required", "auth")
    ann = people.bound(owner)
    ann.send("<presence/>")
    request = ann.wait_for(lambda stanza: stanza.tag == "message")
    assert request.get("from") == room
    values = form_values(request)
    assert values["muc#register_roomnick"] == ["Ben"]
    fields = {"muc__jid": values["muc#jid"], "muc__register_roomnick": "Ben", "muc__register_allow": "1"}
    ann.send(f"<message to='{room}'>{form(ns.MUC_REGISTER, **fields)}</message>")
    ann.sync()
    ben.expect("message", "user:x/user:invite", from_=room)
    assert item(enter(ben, room, "Ben").own)["affiliation"] == "member"


def test_nobody_approves_himself(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann", membersonly="1")
    fields = {"muc__jid": ben.bare, "muc__register_roomnick": "Ben", "muc__register_allow": "1"}
    ben.send(f"<message to='{room}'>{form(ns.MUC_REGISTER, **fields)}</message>")
    ben.expect_error("message", "forbidden", "auth")


def test_a_locked_nickname_goes_with_its_owner(guests: People, room: str) -> None:
    ann, ben = guests.online(), guests.online()
    create(ann, room, "Ann")
    configure(ann, room, **{"x-muc__roomconfig_reservednick": "1"})
    ben.set(wish("Benny"), room)
    entry = enter(ben, room, "Other")
    assert entry.own.get("from") == f"{room}/Benny"
    assert entry.codes == {"110", "210"}
    ben.send(f"<presence to='{room}/Other'/>")
    ben.expect_error("presence", "not-acceptable", "cancel")
    ben.send(join(room, "Other"))
    again = ben.wait_for(lambda stanza: stanza.tag == "presence" and "110" in codes(stanza))
    assert (again.get("from"), codes(again)) == (f"{room}/Benny", {"110", "210"})
