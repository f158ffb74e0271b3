"""Invitations to rooms, and asking for voice (XEP-0045 §7.8, §7.13, §8.6; XEP-0249)."""

import pytest

from kit import ns
from kit.muc import change, create, drain, enter, form, items, party, say
from kit.stanzas import find, form_fields, form_values, item, show, text
from kit.wire import Client

# Invitations (§7.8)


def invite(to: str, reason: str = "") -> str:
    inside = f"<reason>{reason}</reason>" if reason else ""
    return f"<x xmlns='{ns.MUC_USER}'><invite to='{to}'>{inside}</invite></x>"


def test_the_room_passes_an_invitation_on(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message to='{room}' id='i'>{invite(ben.bare, 'tea &amp; talk')}</message>")
    message = ben.expect("message", "user:x/user:invite", from_=room)
    invitation = find(message, "user:x/user:invite")
    assert invitation is not None
    assert invitation.get("from") in (ann.bare, ann.jid, f"{room}/Ann")
    assert text(invitation, "user:reason") == "tea & talk"
    assert invitation.get("to") is None
    assert "member" not in {each["affiliation"] for each in items(ann, room, affiliation="member")}


def test_an_invitation_carries_the_password(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", passwordprotectedroom="1", roomsecret="secret")
    ann.send(f"<message to='{room}'>{invite(ben.bare)}</message>")
    message = ben.expect("message", "user:x/user:invite", from_=room)
    assert text(message, "user:x/user:password") == "secret"


def test_several_people_can_be_invited_at_once(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann")
    both = f"<x xmlns='{ns.MUC_USER}'><invite to='{ben.bare}'/><invite to='{cat.bare}'/></x>"
    ann.send(f"<message to='{room}'>{both}</message>")
    for client in (ben, cat):
        client.expect("message", "user:x/user:invite", from_=room)


@pytest.mark.parametrize("by", ["owner", "participant"])
def test_who_is_invited_to_a_members_room_becomes_a_member(
    ann: Client, ben: Client, cat: Client, room: str, by: str
) -> None:
    create(ann, room, "Ann", membersonly="1", allowinvites="1")
    ann.set(change(jid=ben.bare, affiliation="member"), room)
    ben.expect("message", "user:x/user:invite", from_=room)
    enter(ben, room, "Ben")
    drain(room, {"Ann": ann})
    (ann if by == "owner" else ben).send(f"<message to='{room}'>{invite(cat.bare)}</message>")
    cat.expect("message", "user:x/user:invite", from_=room)
    assert item(enter(cat, room, "Cat").own)["affiliation"] == "member"


def test_a_members_room_may_reserve_inviting_to_admins(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann", membersonly="1", allowinvites="0")
    ann.set(change(jid=ben.bare, affiliation="member"), room)
    ben.expect("message", "user:x/user:invite", from_=room)
    enter(ben, room, "Ben")
    ben.send(f"<message to='{room}' id='i'>{invite(cat.bare)}</message>")
    ben.expect_error("message", "forbidden", "auth", id="i")
    cat.nothing_before()
    ann.sync(f"{room}/Ann")
    ann.send(f"<message to='{room}'>{invite(cat.bare)}</message>")
    cat.expect("message", "user:x/user:invite")


def test_who_is_not_in_the_room_cannot_invite(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(f"<message to='{room}' id='i'>{invite(cat.bare)}</message>")
    stanza = ben.expect("message", type="error", id="i")
    conditions = ("not-acceptable", "forbidden")
    assert any(find(stanza, f"error/errors:{each}") is not None for each in conditions), show(stanza)
    cat.nothing_before()


def test_an_invitation_to_no_address_is_refused(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message to='{room}' id='i'>{invite('@')}</message>")
    ann.expect_error("message", "jid-malformed", "modify", id="i")


def test_a_declined_invitation_is_passed_back(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message to='{room}'>{invite(ben.bare)}</message>")
    invitation = find(ben.expect("message", "user:x/user:invite"), "user:x/user:invite")
    assert invitation is not None
    decline = f"<decline to='{invitation.get('from')}'><reason>no time</reason></decline>"
    ben.send(f"<message to='{room}'><x xmlns='{ns.MUC_USER}'>{decline}</x></message>")
    message = ann.expect("message", "user:x/user:decline", from_=room)
    declined = find(message, "user:x/user:decline")
    assert declined is not None
    assert declined.get("from") in (ben.bare, ben.jid)
    assert text(declined, "user:reason") == "no time"


def test_a_direct_invitation_is_an_ordinary_message(ann: Client, ben: Client, room: str) -> None:
    """XEP-0249: it does not go through the room."""
    x = f"<x xmlns='{ns.DIRECT_INVITE}' jid='{room}' reason='tea' password='secret'/>"
    ann.send(f"<message to='{ben.bare}'>{x}</message>")
    found = find(ben.expect("message", "conference:x", from_=ann.jid), "conference:x")
    assert found is not None
    assert dict(found.attrib) == {"jid": room, "reason": "tea", "password": "secret"}


# Voice (§7.13, §8.6)


def test_a_visitor_asks_for_voice_and_gets_it(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    ben.send(f"<message to='{room}'>{form(ns.MUC_REQUEST, muc__role='participant')}</message>")
    request = ann.expect("message", "data:x", from_=room)
    values = form_values(request)
    assert values["FORM_TYPE"] == [ns.MUC_REQUEST]
    assert values["muc#role"] == ["participant"]
    assert values["muc#roomnick"] == ["Ben"]
    assert values["muc#jid"] in ([ben.jid], [ben.bare])
    assert form_fields(request)["muc#request_allow"].get("type") == "boolean"
    ben.nothing_before(f"{room}/Ben")
    answer = form(
        ns.MUC_REQUEST, muc__role="participant", muc__jid=ben.jid, muc__roomnick="Ben", muc__request_allow="true"
    )
    ann.send(f"<message to='{room}'>{answer}</message>")
    for client in (ann, ben):
        assert item(client.expect("presence", from_=f"{room}/Ben"))["role"] == "participant"


def test_a_refused_request_for_voice_changes_nothing(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    ben.send(f"<message to='{room}'>{form(ns.MUC_REQUEST, muc__role='participant')}</message>")
    ann.expect("message", "data:x", from_=room)
    answer = form(
        ns.MUC_REQUEST, muc__role="participant", muc__jid=ben.jid, muc__roomnick="Ben", muc__request_allow="false"
    )
    ann.send(f"<message to='{room}'>{answer}</message>")
    ann.nothing_before(f"{room}/Ann")
    say(ben, room, "hello", id="m")
    ben.wait_for(lambda stanza: stanza.get("type") == "error" and stanza.get("id") == "m")


def test_a_request_for_voice_goes_to_moderators_alone(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat}, moderatedroom="1")
    ben.send(f"<message to='{room}'>{form(ns.MUC_REQUEST, muc__role='participant')}</message>")
    ann.expect("message", "data:x", from_=room)
    cat.nothing_before(f"{room}/Cat")


def test_a_visitor_cannot_approve_himself(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben}, moderatedroom="1")
    answer = form(
        ns.MUC_REQUEST, muc__role="participant", muc__jid=ben.jid, muc__roomnick="Ben", muc__request_allow="true"
    )
    ben.send(f"<message to='{room}' id='v'>{answer}</message>")
    ben.sync(f"{room}/Ben")
    for stanza in ann.sync(f"{room}/Ann"):
        assert stanza.tag != "presence", show(stanza)
    say(ben, room, "hello", id="m")
    ben.expect_error("message", "forbidden", "auth", id="m")
