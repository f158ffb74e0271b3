"""Directed presence: the room is left under the name that it knows, and nobody is forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.core import presence
from fermata.core.presence import DirectedPresence
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.xml import read

ROOM = JID.parse("verona@rooms.example")
JULIET = JID.parse(f"{ROOM}/juliet")
JULE = JID.parse(f"{ROOM}/jule")
ROMEO = JID.parse("romeo@montague.example/orchard")
MUC = "<x xmlns='http://jabber.org/protocol/muc'/>"


def sent(directed: DirectedPresence, to: JID, children: str = "", type: str = "") -> None:
    attributes = f"type='{type}'" if type else ""
    directed.sent(to, read(f"<presence {attributes}>{children}</presence>"))


def heard(directed: DirectedPresence, sender: JID, *codes: int, type: str = "", nick: str = "") -> None:
    attributes = f"type='{type}'" if type else ""
    item = f"<item nick='{nick}'/>" if nick else "<item/>"
    statuses = "".join(f"<status code='{code}'/>" for code in codes)
    x = f"<x xmlns='http://jabber.org/protocol/muc#user'>{item}{statuses}</x>"
    directed.heard(sender, read(f"<presence {attributes}>{x}</presence>"))


def refused(directed: DirectedPresence, sender: JID, condition: str, type: str = "cancel") -> None:
    error = f"<error type='{type}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    directed.heard(sender, read(f"<presence type='error'>{MUC}{error}</presence>"))


def in_room() -> DirectedPresence:
    directed = DirectedPresence()
    sent(directed, JULIET, MUC)
    heard(directed, JULIET, 110)
    return directed


def test_one_session_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_MOST_DIRECTED", 2)
    directed = in_room()
    sent(directed, ROMEO)
    for to, children in ((ROMEO.bare, ""), (JID.parse("other@rooms.example/juliet"), MUC)):
        with pytest.raises(StanzaError) as refusal:
            sent(directed, to, children)
        assert refusal.value.condition == "resource-constraint"
    sent(directed, ROMEO)
    sent(directed, JULE, MUC)
    sent(directed, ROMEO, type="unavailable")
    sent(directed, ROMEO.bare)
    assert directed.targets() == [JULIET, ROMEO.bare]


def test_contacts_are_remembered_as_addressed() -> None:
    directed = DirectedPresence()
    sent(directed, ROMEO)
    sent(directed, ROMEO.bare)
    assert directed.targets() == [ROMEO, ROMEO.bare]
    sent(directed, ROMEO, type="unavailable")
    assert directed.targets() == [ROMEO.bare]
    assert directed.includes(ROMEO)
    sent(directed, ROMEO.bare, type="unavailable")
    assert not directed


@pytest.mark.parametrize("type", ["error", "probe", "subscribe"])
def test_only_available_presence_is_remembered(type: str) -> None:
    directed = DirectedPresence()
    sent(directed, ROMEO, type=type)
    assert not directed


def test_a_room_is_left_even_if_it_has_not_answered() -> None:
    directed = DirectedPresence()
    sent(directed, JULIET, MUC)
    assert directed.targets() == [JULIET]
    assert directed.includes(ROOM)


def test_a_room_that_assigns_another_nickname_is_left_under_that() -> None:
    directed = DirectedPresence()
    sent(directed, JULIET, MUC)
    heard(directed, JULE, 110, 210)
    assert directed.targets() == [JULE]


def test_a_room_that_was_entered_the_old_way_is_a_room_once_it_answers() -> None:
    directed = DirectedPresence()
    sent(directed, ROMEO)
    sent(directed, JULIET)
    heard(directed, JULE, 110)
    assert directed.rooms == {ROOM: JULE}
    assert directed.targets() == [JULE, ROMEO]


def test_a_change_of_nickname_counts_when_the_room_says_so() -> None:
    directed = in_room()
    sent(directed, JULE)
    assert directed.targets() == [JULIET]
    heard(directed, JULIET, 110, 303, type="unavailable", nick="jule")
    assert directed.targets() == [JULE]
    heard(directed, JULE, 110)
    assert directed.targets() == [JULE]


def test_a_refused_change_of_nickname_leaves_the_old_one() -> None:
    directed = in_room()
    sent(directed, JULE)
    refused(directed, JULE, "conflict")
    assert directed.targets() == [JULIET]


def test_a_nickname_that_can_be_none_waits_for_the_self_presence() -> None:
    directed = in_room()
    heard(directed, JULIET, 110, 303, type="unavailable", nick="&#x7f;")
    assert directed.targets() == [JULIET]
    heard(directed, JULIET, 303, 110, type="unavailable")
    assert directed.targets() == [JULIET]


@pytest.mark.parametrize("codes", [(110,), (110, 307), (110, 301), (110, 332), (307,)])
def test_who_was_removed_need_not_leave(codes: tuple[int, ...]) -> None:
    directed = in_room()
    heard(directed, JULIET, *codes, type="unavailable")
    assert not directed


def test_what_becomes_of_others_does_not_matter() -> None:
    directed = in_room()
    romeo = JID.parse(f"{ROOM}/romeo")
    heard(directed, romeo)
    heard(directed, romeo, 303, type="unavailable", nick="montague")
    heard(directed, romeo, 307, type="unavailable")
    directed.heard(ROOM, read("<presence><x xmlns='vcard-temp:x:update'/></presence>"))
    assert directed.targets() == [JULIET]


@pytest.mark.parametrize("sender", [JULIET, ROOM])
def test_a_room_that_refuses_us_need_not_be_left(sender: JID) -> None:
    directed = DirectedPresence()
    sent(directed, JULIET, MUC)
    refused(directed, sender, "forbidden", "auth")
    assert not directed


@pytest.mark.parametrize(
    ("condition", "type"),
    [
        ("remote-server-timeout", "cancel"),
        ("remote-server-not-found", "cancel"),
        ("recipient-unavailable", "wait"),
    ],
)
def test_trouble_on_the_way_does_not_mean_that_we_are_out(condition: str, type: str) -> None:
    directed = in_room()
    sent(directed, ROMEO)
    refused(directed, JULIET, condition, type)
    refused(directed, ROMEO, condition, type)
    assert directed.targets() == [JULIET, ROMEO]


def test_a_contact_that_refuses_presence_is_forgotten() -> None:
    directed = DirectedPresence()
    sent(directed, ROMEO)
    refused(directed, ROMEO, "service-unavailable")
    assert not directed


@pytest.mark.parametrize("to", [JULIET, JULE, ROOM])
def test_any_unavailable_presence_to_a_room_leaves_it(to: JID) -> None:
    directed = in_room()
    sent(directed, to, type="unavailable")
    assert not directed


class Room:
    """A room that answers as it likes: with another nickname, with a change, with a removal."""

    def __init__(self, directed: DirectedPresence) -> None:
        self.directed = directed
        self.occupant: JID | None = None

    def enter(self, asked: str, given: str) -> None:
        sent(self.directed, JID.parse(f"{ROOM}/{asked}"), MUC)
        self.occupant = JID.parse(f"{ROOM}/{given}")
        heard(self.directed, self.occupant, 110)

    def rename(self, asked: str, given: str) -> None:
        if self.occupant is not None:
            heard(self.directed, self.occupant, 110, 303, type="unavailable", nick=given)
            self.enter(asked, given)

    def kick(self, asked: str, given: str) -> None:
        if self.occupant is not None:
            heard(self.directed, self.occupant, 110, 307, type="unavailable")
            self.occupant = None

    def refuse(self, asked: str, given: str) -> None:
        if self.occupant != JID.parse(f"{ROOM}/{asked}"):
            sent(self.directed, JID.parse(f"{ROOM}/{asked}"), MUC)
            refused(self.directed, JID.parse(f"{ROOM}/{asked}"), "conflict")

    def leave(self, asked: str, given: str) -> None:
        sent(self.directed, JID.parse(f"{ROOM}/{asked}"), type="unavailable")
        self.occupant = None


NICKS = st.sampled_from(["juliet", "jule", "romeo"])


@given(st.lists(st.tuples(st.sampled_from(["enter", "rename", "kick", "refuse", "leave"]), NICKS, NICKS)))
def test_in_the_end_the_room_is_left_where_we_are_and_only_if_we_are(steps: list[tuple[str, str, str]]) -> None:
    directed = DirectedPresence()
    room = Room(directed)
    for act, asked, given_nick in steps:
        getattr(room, act)(asked, given_nick)
        assert directed.targets() == ([] if room.occupant is None else [room.occupant])
