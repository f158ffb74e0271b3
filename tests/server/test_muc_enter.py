"""Entering, being seen in, and leaving rooms (XEP-0045 §7.1–7.7, §7.14; occupant ids: XEP-0421)."""

import pytest

from kit import ns
from kit.muc import INSTANT, change, create, drain, enter, entered, join, party
from kit.people import People
from kit.stanzas import Element, codes, find, item, show, text
from kit.wire import Client

# A new room (§10.1)


def test_who_enters_first_makes_a_locked_room_and_owns_it(ann: Client, room: str) -> None:
    entry = enter(ann, room, "Ann")
    assert entry.codes == {"110", "201"}
    assert entry.others == entry.history == []
    assert item(entry.own)["affiliation"] == "owner"
    assert item(entry.own)["role"] == "moderator"


def test_a_locked_room_is_not_there_for_others(ann: Client, ben: Client, room: str) -> None:
    enter(ann, room, "Ann")
    ben.send(join(room, "Ben"))
    ben.expect_error("presence", "item-not-found", "cancel", from_=f"{room}/Ben")
    ann.nothing_before(f"{room}/Ann")


def test_an_empty_form_unlocks_the_room(ann: Client, ben: Client, room: str) -> None:
    enter(ann, room, "Ann")
    ann.set(INSTANT, room)
    assert "201" not in enter(ben, room, "Ben").codes


def test_cancelling_the_form_of_a_locked_room_destroys_it(ann: Client, ben: Client, room: str) -> None:
    enter(ann, room, "Ann")
    cancel = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='cancel'/></query>"
    ann.send(f"<iq type='set' id='c' to='{room}'>{cancel}</iq>")
    came = [ann.next(), ann.next()]
    assert any(each.get("id") == "c" and each.get("type") == "result" for each in came), [show(x) for x in came]
    assert any(each.get("type") == "unavailable" and each.get("from") == f"{room}/Ann" for each in came)
    assert "201" in enter(ben, room, "Ben").codes


# The order of things (§7.1, §7.2.2–7.2.15)


def test_one_sees_the_others_then_oneself_then_the_past_then_the_subject(
    ann: Client, ben: Client, cat: Client, room: str
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<message type='groupchat' to='{room}'><subject>tea</subject></message>")
    for number in range(3):
        ann.send(f"<message type='groupchat' to='{room}'><body>{number}</body></message>")
    ann.sync(f"{room}/Ann")
    entry = enter(cat, room, "Cat", id="in")
    assert {presence.get("from") for presence in entry.others} == {f"{room}/Ann", f"{room}/Ben"}
    assert all("110" not in codes(presence) for presence in entry.others)
    assert entry.own.get("from") == f"{room}/Cat"
    assert entry.own.get("id") == "in"
    assert [text(message, "body") for message in entry.history] == ["0", "1", "2"]
    assert text(entry.subject, "subject") == "tea"
    delay = find(entry.subject, "delay:delay")
    assert delay is not None
    assert delay.get("from") == room
    cat.nothing_before(f"{room}/Cat")


def test_everything_on_entering_is_addressed_to_the_one_who_enters(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='groupchat' to='{room}'><body>hello</body></message>")
    ann.sync(f"{room}/Ann")
    entry = enter(ben, room, "Ben")
    for stanza in [*entry.others, entry.own, *entry.history, entry.subject]:
        assert stanza.get("to") == ben.jid, show(stanza)


def test_a_room_without_a_subject_says_so(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    entry = enter(ben, room, "Ben")
    assert text(entry.subject, "subject") == ""


def test_the_others_see_who_enters(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(join(room, "Ben", content="<show>away</show><status>late</status>"))
    presence = ann.expect("presence", from_=f"{room}/Ben", to=ann.jid, type=None)
    assert item(presence) == {"affiliation": "none", "role": "participant", "jid": ben.jid}
    assert (text(presence, "show"), text(presence, "status")) == ("away", "late")
    assert codes(presence) == set()
    assert find(presence, "muc:x") is None


def test_who_enters_a_moderated_room_is_a_visitor(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", moderatedroom="1")
    assert item(enter(ben, room, "Ben").own)["role"] == "visitor"


def test_who_enters_sees_what_the_others_said_of_themselves(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(join(room, "Ben", content=f"<show>dnd</show><c xmlns='{ns.CAPS}' hash='sha-1' node='n' ver='v'/>"))
    ann.expect("presence", from_=f"{room}/Ben")
    ben.sync(f"{room}/Ben")
    ben.send(f"<presence to='{room}/Ben'><show>xa</show><status>asleep</status></presence>")
    ann.expect("presence", from_=f"{room}/Ben")
    seen = {presence.get("from"): presence for presence in enter(cat, room, "Cat").others}[f"{room}/Ben"]
    assert (text(seen, "show"), text(seen, "status")) == ("xa", "asleep")


# Refusals (XEP-0045 §7.2)


def refused(client: Client, room: str, nick: str, type: str, condition: str, **options: str) -> Element:
    """Try to enter, and be refused with that error from the address asked for, by the room."""
    client.send(join(room, nick, id="try", **options))
    refusal = client.expect_error("presence", condition, type, from_=f"{room}/{nick}", id="try", to=client.jid)
    problem = refusal.find("error")
    assert problem is not None
    assert problem.get("by") == room
    return refusal


def test_without_a_nick(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(f"<presence to='{room}' id='n'><x xmlns='{ns.MUC}'/></presence>")
    ben.expect_error("presence", "jid-malformed", "modify", id="n")


def test_without_a_nick_no_room_is_made(ann: Client, ben: Client, room: str) -> None:
    ann.send(f"<presence to='{room}' id='n'><x xmlns='{ns.MUC}'/></presence>")
    ann.expect_error("presence", "jid-malformed", "modify", id="n")
    assert "201" in enter(ben, room, "Ben").codes


@pytest.mark.parametrize("nick", [" ", "   ", "\N{NO-BREAK SPACE}"])
def test_a_nick_of_spaces_is_none(ann: Client, room: str, nick: str) -> None:
    ann.send(join(room, nick))
    ann.expect_error("presence", "jid-malformed", "modify")


@pytest.mark.parametrize("password", [None, "", "wrong", "Secret"])
def test_with_a_wrong_password(ann: Client, ben: Client, room: str, password: str | None) -> None:
    create(ann, room, "Ann", passwordprotectedroom="1", roomsecret="secret")
    options = {} if password is None else {"password": password}
    refused(ben, room, "Ben", "auth", "not-authorized", **options)
    ann.nothing_before(f"{room}/Ann")


def test_with_the_right_password(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", passwordprotectedroom="1", roomsecret="secret &amp; more")
    enter(ben, room, "Ben", password="secret &amp; more")


def test_a_password_is_seen_by_nobody(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", passwordprotectedroom="1", roomsecret="secret")
    enter(ben, room, "Ben", password="secret")
    assert "secret" not in show(ann.expect("presence", from_=f"{room}/Ben"))


def test_members_only_keeps_others_out(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", membersonly="1")
    refused(ben, room, "Ben", "auth", "registration-required")
    ann.set(change(jid=ben.bare, affiliation="member"), room)
    invitation = find(ben.expect("message", "user:x/user:invite", from_=room), "user:x/user:invite")
    assert invitation is not None, "who becomes a member of such a room is invited (§9.3)"
    entry = enter(ben, room, "Ben")
    assert item(entry.own)["affiliation"] == "member"


def test_the_banned_stay_out(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.set(change(jid=ben.bare, affiliation="outcast"), room)
    refused(ben, room, "Ben", "auth", "forbidden")
    ann.nothing_before(f"{room}/Ann")


@pytest.mark.parametrize("nick", ["Ann", "ann", "ANN", "\uff21nn"])
def test_a_nick_that_is_taken(ann: Client, ben: Client, room: str, nick: str) -> None:
    """Nicks are compared by the profile of RFC 8266: case and width make no difference."""
    create(ann, room, "Ann")
    refused(ben, room, nick, "cancel", "conflict")
    ann.nothing_before(f"{room}/Ann")


def test_a_full_room_lets_only_admins_in(ann: Client, ben: Client, cat: Client, guests: People, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, maxusers="2")
    refused(cat, room, "Cat", "wait", "service-unavailable")
    ann.set(change(jid=cat.bare, affiliation="admin"), room)
    enter(cat, room, "Cat")


def test_a_destroyed_room_points_to_its_successor(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><destroy jid='new-{room}'><reason>moved</reason></destroy></query>", room)
    refusal = refused(ben, room, "Ben", "cancel", "gone")
    assert text(refusal, "error/errors:gone") == f"xmpp:new-{room}?join"


def test_who_is_refused_is_not_in(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", membersonly="1")
    refused(ben, room, "Ben", "auth", "registration-required")
    ann.send(f"<message type='groupchat' to='{room}'><body>among us</body></message>")
    ann.sync(f"{room}/Ann")
    ben.nothing_before()
    assert ben.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{room}/Ben") == ("cancel", "not-acceptable")


# One person, several sessions (multi-session nicks)


def test_two_sessions_of_one_person_share_a_nick(guests: People, ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    desk = guests.another(ben)
    entry = enter(desk, room, "Ben")
    assert entry.own.get("from") == f"{room}/Ben"
    drain(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<message type='groupchat' to='{room}' id='g'><body>all</body></message>")
    ann.send(f"<message type='chat' to='{room}/Ben' id='p'><body>private</body></message>")
    for client in (ben, desk):
        client.expect("message", id="g", to=client.jid)
        client.expect("message", id="p", to=client.jid)
    ann.expect("message", id="g")
    ann.nothing_before(f"{room}/Ann")


def test_one_of_two_sessions_leaves_and_the_person_stays(guests: People, ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    desk = guests.another(ben)
    enter(desk, room, "Ben")
    drain(room, {"Ann": ann, "Ben": ben, })  # fmt: skip
    desk.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    assert "110" in codes(desk.expect("presence", type="unavailable", from_=f"{room}/Ben"))
    assert not [each for each in ann.sync(f"{room}/Ann") if each.get("type") == "unavailable"]
    ben.sync(f"{room}/Ben")
    ann.send(f"<message type='groupchat' to='{room}'><body>still here?</body></message>")
    ben.wait_for(lambda stanza: text(stanza, "body") == "still here?")
    desk.nothing_before()


# Entering what one is in already (§7.1 business rules)


def test_entering_again_brings_everything_again_and_tells_nobody(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<message type='groupchat' to='{room}'><body>hello</body></message>")
    drain(room, {"Ann": ann, "Ben": ben})
    entry = enter(ben, room, "Ben")
    assert [presence.get("from") for presence in entry.others] == [f"{room}/Ann"]
    assert [text(message, "body") for message in entry.history] == ["hello"]
    ann.nothing_before(f"{room}/Ann")


def test_entering_again_with_another_presence_tells_the_others(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    enter(ben, room, "Ben", content="<show>away</show>")
    assert text(ann.expect("presence", from_=f"{room}/Ben"), "show") == "away"


# What neither enters nor leaves


@pytest.mark.parametrize("exists", [True, False])
def test_presence_of_a_stranger_does_not_enter(ann: Client, ben: Client, room: str, exists: bool) -> None:
    if exists:
        create(ann, room, "Ann")
    ben.send(f"<presence to='{room}/Ben'><show>chat</show></presence>")
    if exists:
        answer = ben.expect("presence", type="unavailable", from_=f"{room}/Ben")
        assert codes(answer) == {"110", "307", "333"}
        assert item(answer)["affiliation"] == "none"
        assert item(answer)["role"] == "none"
        ann.nothing_before(f"{room}/Ann")
    else:
        came = ben.sync()
        assert all(stanza.get("type") in ("unavailable", "error") for stanza in came), [show(each) for each in came]
        assert "201" in enter(ann, room, "Ann").codes


@pytest.mark.parametrize("type", ["subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"])
@pytest.mark.parametrize("inside", [True, False])
def test_other_presence_neither_enters_nor_leaves(ann: Client, ben: Client, room: str, type: str, inside: bool) -> None:
    party(room, {"Ann": ann, "Ben": ben} if inside else {"Ann": ann})
    content = (
        f"<error type='wait'><internal-server-error xmlns='{ns.STANZA_ERRORS}'/></error>" if type == "error" else ""
    )
    ben.send(f"<presence type='{type}' to='{room}/Ben'><x xmlns='{ns.MUC}'/>{content}</presence>")
    ben.sync(room)
    ann.nothing_before(f"{room}/Ann")
    reply = ben.iq("get", f"<ping xmlns='{ns.PING}'/>", f"{room}/Ben")
    assert (reply.get("type") == "result") is inside, show(reply)


def test_leaving_where_one_is_not_is_ignored(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.nothing_before(room)
    ann.nothing_before(f"{room}/Ann")


# Codes (XEP-0045 §7.2)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"110"}),
        ({"whois": "anyone"}, {"100", "110"}),
        ({"enablelogging": "1"}, {"110", "170"}),
        ({"enablelogging": "1", "whois": "anyone"}, {"100", "110", "170"}),
    ],
    ids=["default", "non-anonymous", "logged", "both"],
)
def test_who_enters_is_told_what_kind_of_room_it_is(
    ann: Client, ben: Client, room: str, settings: dict[str, str], expected: set[str]
) -> None:
    create(ann, room, "Ann", **settings)
    assert enter(ben, room, "Ben").codes == expected


# Real addresses (§7.2.3, §7.2.4)


def test_in_a_semi_anonymous_room_moderators_alone_see_addresses(
    ann: Client, ben: Client, cat: Client, room: str
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    entry = enter(cat, room, "Cat")
    assert all("jid" not in item(presence) for presence in entry.others)
    assert item(ann.expect("presence", from_=f"{room}/Cat"))["jid"] == cat.jid
    assert "jid" not in item(ben.expect("presence", from_=f"{room}/Cat"))


def test_in_a_non_anonymous_room_everybody_sees_addresses(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, whois="anyone")
    entry = enter(cat, room, "Cat")
    assert {item(presence)["jid"] for presence in entry.others} == {ann.jid, ben.jid}
    assert item(ben.expect("presence", from_=f"{room}/Cat"))["jid"] == cat.jid


def test_a_moderator_who_enters_sees_addresses(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.set(change(jid=cat.bare, affiliation="admin"), room)
    entry = enter(cat, room, "Cat")
    assert {item(presence)["jid"] for presence in entry.others} == {ann.jid, ben.jid}


# Entering by several people at once


def test_two_who_enter_at_once_see_each_other(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(join(room, "Ben"))
    cat.send(join(room, "Cat"))
    entries = {"Ben": entered(ben, room), "Cat": entered(cat, room)}
    seen = {nick: {each.get("from") for each in entry.others} for nick, entry in entries.items()}
    later = {"Ben": ben, "Cat": cat}
    for nick, client in later.items():
        seen[nick] |= {each.get("from") for each in client.sync(f"{room}/{nick}") if each.tag == "presence"}
    assert f"{room}/Cat" in seen["Ben"]
    assert f"{room}/Ben" in seen["Cat"]


def test_a_room_can_be_left_and_entered_in_one_breath(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>" + join(room, "Ben"))
    ben.expect("presence", type="unavailable", from_=f"{room}/Ben")
    entered(ben, room)
    ann.expect("presence", type="unavailable", from_=f"{room}/Ben")
    ann.expect("presence", type=None, from_=f"{room}/Ben")


def test_a_nick_keeps_its_spelling(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    enter(ben, room, "Ben ☕ O'Neil")
    ann.expect("presence", from_=f"{room}/Ben ☕ O'Neil")
