"""Private messages in rooms, and what becomes of occupants whose messages bounce (XEP-0045 §7.5)."""

import pytest

from kit import ns
from kit.muc import change, create, drain, enter, party, say
from kit.people import People
from kit.stanzas import Element, codes, show, text
from kit.wire import Client

# To one (§7.5)


@pytest.mark.parametrize("type", ["chat", "normal"])
def test_a_private_message_reaches_one_person(ann: Client, ben: Client, cat: Client, room: str, type: str) -> None:
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ben.send(f"<message type='{type}' to='{room}/Cat' id='p'><body>psst</body><thread>t</thread></message>")
    message = cat.expect("message", "user:x", "thread", from_=f"{room}/Ben", to=cat.jid, id="p")
    assert message.get("type", "normal") == type
    assert text(message, "body") == "psst"
    assert ben.jid not in show(message)
    for nick, client in (("Ann", ann), ("Ben", ben)):
        client.nothing_before(f"{room}/{nick}")


def test_a_private_message_is_not_in_the_past(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='chat' to='{room}/Ann'><body>psst</body></message>")
    ann.expect("message", "body")
    assert enter(cat, room, "Cat").history == []


def test_a_private_message_to_oneself_arrives(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='chat' to='{room}/Ann' id='p'><body>note</body></message>")
    ann.expect("message", "body", from_=f"{room}/Ann", id="p")


def test_a_private_message_of_type_groupchat_is_refused(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<message type='groupchat' to='{room}/Ann' id='p'><body>psst</body></message>")
    ben.expect_error("message", "bad-request", "modify", id="p", from_=f"{room}/Ann")
    ann.nothing_before(f"{room}/Ann")


def test_a_private_message_to_nobody_is_refused(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<message type='chat' to='{room}/Nobody' id='p'><body>psst</body></message>")
    ann.expect_error("message", "item-not-found", "cancel", id="p", from_=f"{room}/Nobody")


def test_a_private_message_from_outside_is_refused(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    ben.send(f"<message type='chat' to='{room}/Ann' id='p'><body>psst</body></message>")
    ben.expect_error("message", "not-acceptable", "cancel", id="p", from_=f"{room}/Ann")
    ann.nothing_before(f"{room}/Ann")


def test_forged_elements_are_taken_out_of_private_messages(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    invite = f"<x xmlns='{ns.MUC_USER}'><invite from='evil@localhost'/><status code='332'/></x>"
    forged = f"<occupant-id xmlns='{ns.OCCUPANT_ID}' id='forged'/>{invite}"
    ben.send(f"<message type='chat' to='{room}/Ann'><body>psst</body>{forged}</message>")
    message = ann.expect("message", "body", from_=f"{room}/Ben")
    assert "forged" not in show(message)
    assert "evil" not in show(message)
    assert codes(message) == set()


# who may write to whom, by muc#roomconfig_allowpm; Ann is a moderator, Ben a participant, Cat a visitor
ALLOWED = {
    "anyone": {"Ben Ann", "Ben Dan", "Cat Ann", "Cat Ben", "Ann Ben", "Ann Cat"},
    "participants": {"Ben Ann", "Ben Dan", "Ann Ben", "Ann Cat"},
    "moderators": {"Ann Ben", "Ann Cat"},
    "none": set(),
}


@pytest.mark.parametrize("allowpm", ALLOWED)
def test_private_messages_can_be_restricted(
    guests: People, ann: Client, ben: Client, cat: Client, room: str, allowpm: str
) -> None:
    dan = guests.online()
    people = {"Ann": ann, "Ben": ben, "Cat": cat, "Dan": dan}
    party(room, people, moderatedroom="1", allowpm=allowpm)
    for nick in ("Ben", "Dan"):
        ann.set(change(nick=nick, role="participant"), room)
    drain(room, people)
    for pair in sorted(ALLOWED["anyone"]):
        sender, receiver = pair.split()
        people[sender].send(f"<message type='chat' to='{room}/{receiver}' id='{pair}'><body>psst</body></message>")
        refusals = people[sender].sync(f"{room}/{sender}")
        arrived = [stanza.get("id") for stanza in people[receiver].sync(f"{room}/{receiver}")]
        if pair in ALLOWED[allowpm]:
            assert (refusals, arrived) == ([], [pair])
        else:
            assert arrived == [], pair
            assert [stanza.get("type") for stanza in refusals] == ["error"], pair


# Errors that come back


def bounce(client: Client, room: str, message: Element, type: str, condition: str) -> None:
    """What a client or its server sends when a message of the room could not be delivered."""
    client.send(
        f"<message type='error' to='{message.get('from')}' id='{message.get('id')}'>"
        f"<error type='{type}'><{condition} xmlns='{ns.STANZA_ERRORS}'/></error></message>"
    )


@pytest.mark.parametrize(
    ("type", "condition"),
    [
        ("cancel", "gone"),
        ("modify", "redirect"),
        ("cancel", "item-not-found"),
        ("wait", "recipient-unavailable"),
        ("modify", "jid-malformed"),
        ("cancel", "service-unavailable"),
    ],
)
def test_an_occupant_who_is_gone_for_good_is_removed(
    ann: Client, ben: Client, room: str, type: str, condition: str
) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ann, room, "hello")
    ann.expect("message", "body")
    bounce(ben, room, ben.expect("message", "body"), type, condition)
    gone = ann.expect("presence", type="unavailable", from_=f"{room}/Ben")
    assert "333" in codes(gone)
    assert "307" not in codes(gone)
    ann.nothing_before(f"{room}/Ann")


@pytest.mark.parametrize(
    ("type", "condition"),
    [
        ("cancel", "remote-server-not-found"),
        ("wait", "remote-server-timeout"),
        ("wait", "internal-server-error"),
        ("wait", "resource-constraint"),
        ("modify", "policy-violation"),
        ("auth", "not-authorized"),
    ],
)
def test_an_occupant_who_is_hard_to_reach_stays(ann: Client, ben: Client, room: str, type: str, condition: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    say(ann, room, "hello")
    ann.expect("message", "body")
    bounce(ben, room, ben.expect("message", "body"), type, condition)
    ben.sync(f"{room}/Ben")
    ann.nothing_before(f"{room}/Ann")
