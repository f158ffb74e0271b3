"""To whom copies go (XEP-0280 §6 to §8), and what a copy is."""

from collections.abc import Mapping

import pytest

from fermata.core.carbons import (
    RECEIVED,
    SENT,
    Shown,
    beside_author,
    beside_recipients,
    copy_of_received,
    copy_of_sent,
    is_private,
)
from fermata.core.keeping import ARCHIVE, COPY, PUSH, SPOOL, URGENT, judge
from fermata.core.pending import Pending
from fermata.core.presence import DirectedPresence
from fermata.core.stored_xml import stanza_from
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import E, Element, serialise
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload, payload_of
from kit.xml import read

ME, ROMEO, ROOM = JID.parse("juliet@localhost"), JID.parse("romeo@localhost/orchard"), JID.parse("verona@rooms.example")
MINE, OTHER = ROOM.with_resource("Juliet"), ROOM.with_resource("Nun")


class Device:
    """A session that wants copies: its place in the room if it has one, whether it is attached there."""

    def __init__(self, place: JID | None = None, is_attached: bool = False) -> None:
        self.directed = DirectedPresence()
        self.attached: Mapping[JID, object] = {ROOM: None} if is_attached else {}
        if place is not None:
            self.directed.sent(place, E("presence", {}, E("{%s}x" % ns.MUC)))


def test_all_who_want_one_get_a_copy_but_those_who_get_the_message() -> None:
    got, wants, wants_too = Device(), Device(), Device()
    everybody = [got, wants, wants_too]
    assert beside_recipients(everybody, [got], ME.with_resource("a"), ROMEO) == [wants, wants_too]
    assert beside_recipients(everybody, [got, wants], ME, ROMEO) == [wants_too]
    assert beside_recipients(everybody, [], ME, ROMEO) == [got, wants, wants_too]


@pytest.mark.parametrize(
    ("to", "sender", "is_copied"),
    [
        (ME.with_resource("a"), ROOM.with_resource("Romeo"), False),
        (ME.with_resource("a"), ROOM, False),
        (ME, ROOM, True),  # an invitation
        (ME.with_resource("a"), ROMEO, True),
        (ME.with_resource("a"), JID.parse("elsewhere@rooms.example/Romeo"), True),
    ],
)
def test_what_a_room_says_to_who_is_in_there_it_says_to_all_whom_it_is_for(
    to: JID, sender: JID, is_copied: bool
) -> None:
    inside, outside = Device(place=MINE), Device()
    assert beside_recipients([inside, outside], [inside], to, sender) == [outside] * is_copied


def test_others_see_what_one_sends() -> None:
    author, wants = Device(), Device()
    for to in (ROMEO, ROMEO.bare, ROOM):
        assert beside_author([author, wants], author, to, stands_in=False) == [wants]
        assert beside_author([wants], author, to, stands_in=False) == [wants]
    assert beside_author([author, wants], None, ROMEO, stands_in=False) == [author, wants]


def test_a_private_message_in_a_room_is_seen_by_who_shares_the_place() -> None:
    author, shares, is_another, is_outside = Device(place=MINE), Device(place=MINE), Device(place=OTHER), Device()
    everybody, to = [author, shares, is_another, is_outside], ROOM.with_resource("Romeo")
    assert beside_author(everybody, author, to, stands_in=False) == [shares]
    attached = Device(is_attached=True)
    assert beside_author([author, attached], author, to, stands_in=False) == [attached], "the account is there as well"
    assert beside_author(everybody, author, ROOM, stands_in=False) == [shares, is_another, is_outside], "an invitation"
    assert beside_author(everybody, author, ROMEO, stands_in=False) == [shares, is_another, is_outside]


def test_a_private_message_of_the_account_is_seen_by_all_who_are_there() -> None:
    author, attached, beside, outside = Device(is_attached=True), Device(is_attached=True), Device(place=MINE), Device()
    everybody, to = [author, attached, beside, outside], ROOM.with_resource("Romeo")
    assert beside_author(everybody, author, to, stands_in=True) == [attached, beside]
    assert beside_author(everybody, None, to, stands_in=True) == [author, attached, beside]
    assert beside_author(everybody, author, ROOM, stands_in=True) == [attached, beside, outside], "an invitation"


def test_what_is_a_private_message() -> None:
    to = ROOM.with_resource("Romeo")
    assert is_private(Device(place=MINE), to, stands_in=False)
    assert is_private(None, to, stands_in=True)
    assert not is_private(Device(), to, stands_in=False)
    assert not is_private(None, to, stands_in=False)
    assert not is_private(Device(place=MINE), ROOM, stands_in=False)
    assert not is_private(None, ROOM, stands_in=True)


# -- the copy

XML = (
    "<message from='romeo@localhost/orchard' id='i' type='chat' xml:lang='it'><body>a &lt; b</body>"
    "<x xmlns='urn:x' a='&apos;'><body xmlns='jabber:client'>inside</body></x></message>"
)


def message(xml: str = XML, keep: int = COPY) -> Payload:
    return payload_of(read(xml), keep, "archived", 12.0)


def unwrapped(copy: Payload, name: str) -> Element:
    """What is in the copy, which is one as the specification has it."""
    stanza = stanza_from(copy.addressed(ME.with_resource("b")))
    assert (stanza.get("from"), stanza.get("to")) == (ME, ME.with_resource("b"))
    (direction,) = stanza
    (forwarded,) = direction
    (inside,) = forwarded
    tags = ["{%s}%s" % (ns.CARBONS, name), "{%s}forwarded" % ns.FORWARD, "{%s}message" % ns.CLIENT]
    assert [direction.tag, forwarded.tag, inside.tag] == tags
    assert stanza.get("type") == inside.get("type")
    return inside


def test_the_copy_of_what_was_received_has_all_of_it() -> None:
    to = ME.with_resource("a'&b")
    copy = copy_of_received(message(), to, ME)
    assert serialise(unwrapped(copy, RECEIVED), ns.CLIENT) == message().addressed(to)
    assert f"<message xmlns='{ns.CLIENT}' to=" in copy.rest
    assert (copy.kind, copy.type, copy.sender, copy.archive_id, copy.stamp) == ("message", "chat", ME, "archived", 12.0)


def test_the_copy_of_what_was_sent_has_all_of_it() -> None:
    copy = copy_of_sent(message(), ROMEO, ME, in_room=False)
    assert serialise(unwrapped(copy, SENT), ns.CLIENT) == message().addressed(ROMEO)


@pytest.mark.parametrize("type", ["", " type='normal'", " type='error'", " type='a&apos;b'"])
def test_the_type_is_that_of_the_message(type: str) -> None:
    inside = unwrapped(copy_of_received(message(f"<message{type}/>"), ME, ME), RECEIVED)
    assert len(inside) == 0


@pytest.mark.parametrize("inside", ["", f"<x xmlns='{ns.MUC_USER}'/>", f"<x xmlns='{ns.MUC_USER}'><item/></x>"])
def test_the_copy_of_a_private_message_says_that_it_is_one(inside: str) -> None:
    to = ROOM.with_resource("Romeo")
    said = message(f"<message type='chat'><body>psst</body>{inside}</message>")
    copied = unwrapped(copy_of_sent(said, to, ME, in_room=True), SENT)
    assert [each.tag for each in copied].count("{%s}x" % ns.MUC_USER) == 1
    assert ns.MUC_USER in said.rest if inside else ns.MUC_USER not in said.rest, "what goes out stays as it is"


def test_no_copy_waits_in_a_spool_or_wakes_anybody() -> None:
    loud = message(keep=ARCHIVE | COPY | SPOOL | URGENT | PUSH)
    assert copy_of_received(loud, ME, ME).keep == ARCHIVE | COPY | URGENT
    assert copy_of_sent(loud, ROMEO, ME, in_room=False).keep == ARCHIVE | COPY


def test_a_copy_says_more_than_a_chat_state_where_the_message_does() -> None:
    states = f"<active xmlns='{ns.CHAT_STATES}'/>"
    for content, waits in (
        (states, False),
        (states + "<encrypted xmlns='urn:xmpp:omemo:2'><payload/></encrypted>", True),
    ):
        stanza = read(f"<message type='chat'>{content}</message>")
        said = payload_of(stanza, judge(stanza, "chat"))
        for copy in (copy_of_received(said, ME, ME), copy_of_sent(said, ROMEO, ME, in_room=False)):
            assert Pending().put(copy, ME, is_away=True) is waits


# -- errors


def test_an_error_is_known_by_what_it_answers_and_once() -> None:
    shown = Shown()
    shown.add("i", ROMEO)
    assert not shown.answered("i", JID.parse("tybalt@localhost"))
    assert not shown.answered("j", ROMEO)
    assert shown.answered("i", ROMEO.bare), "it may come from another resource, or from his server"
    assert not shown.answered("i", ROMEO)


def test_without_an_id_nothing_is_known() -> None:
    shown = Shown()
    shown.add("", ROMEO)
    shown.add("x" * 201, ROMEO)
    assert not shown.answered("", ROMEO)
    assert not shown.answered("x" * 201, ROMEO)


def test_only_the_newest_are_remembered() -> None:
    shown = Shown()
    for number in range(51):
        shown.add(str(number), ROMEO)
    assert not shown.answered("0", ROMEO)
    assert shown.answered("1", ROMEO)
    assert shown.answered("50", ROMEO)
