"""What presence means, whom it is told, and who answers a probe."""

from dataclasses import dataclass, field

import pytest

from fermata.core.presence import (
    Announcement,
    DirectedPresence,
    Meaning,
    ProbeAnswer,
    announce,
    answer_probe,
    meaning_of,
    priority_of,
)
from fermata.core.roster import Roster
from fermata.core.roster_item import RosterItem
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.xml import read

JULIET = JID.parse("juliet@capulet.example")
BOTH = JID.parse("both@montague.example")
FROM = JID.parse("from@montague.example")
TO = JID.parse("to@montague.example")
STRANGER = JID.parse("stranger@elsewhere.example/x")


def roster() -> Roster:
    items = [
        RosterItem(BOTH, "", "both", False, False, (), 1),
        RosterItem(FROM, "", "from", True, False, (), 2),
        RosterItem(TO, "", "to", False, False, (), 3),
        RosterItem("none@montague.example", "", "none", True, False, (), 4),
    ]
    return Roster(5, JULIET, items, {"asks@elsewhere.example": "<presence type='subscribe'/>"})


def directed(*jids: JID) -> DirectedPresence:
    directed = DirectedPresence()
    for jid in jids:
        directed.sent(jid, Element("presence"))
    return directed


# -- meaning


@pytest.mark.parametrize(
    ("attributes", "is_available", "meaning"),
    [
        ("", False, Meaning.INITIAL),
        ("", True, Meaning.UPDATE),
        ("type='unavailable'", True, Meaning.UNAVAILABLE),
        ("type='unavailable'", False, Meaning.UNAVAILABLE),
        ("to='a@b'", False, Meaning.DIRECTED),
        ("to='a@b' type='unavailable'", True, Meaning.DIRECTED),
        ("to='a@b' type='error'", True, Meaning.DIRECTED),
        ("to='a@b' type='probe'", True, Meaning.DIRECTED),
        ("to='a@b' type='subscribe'", False, Meaning.SUBSCRIPTION),
        ("to='a@b' type='subscribed'", False, Meaning.SUBSCRIPTION),
        ("to='a@b' type='unsubscribe'", True, Meaning.SUBSCRIPTION),
        ("to='a@b' type='unsubscribed'", True, Meaning.SUBSCRIPTION),
    ],
)
def test_a_presence_means(attributes: str, is_available: bool, meaning: Meaning) -> None:
    assert meaning_of(read(f"<presence {attributes}/>"), is_available) is meaning


@pytest.mark.parametrize(
    "attributes", ["type='available'", "to='a@b' type='invisible'", "type='subscribe'", "type='probe'", "type='error'"]
)
def test_a_presence_without_meaning_is_refused(attributes: str) -> None:
    with pytest.raises(StanzaError) as caught:
        meaning_of(read(f"<presence {attributes}/>"), True)
    assert caught.value.condition == "bad-request"


@pytest.mark.parametrize(
    ("children", "priority"),
    [
        ("", 0),
        ("<show>away</show>", 0),
        ("<priority>0</priority>", 0),
        ("<priority>-128</priority>", -128),
        ("<priority>127</priority>", 127),
        ("<priority>+5</priority>", 5),
        ("<priority> 5\n</priority>", 5),
        ("<priority xmlns='urn:example:other'>x</priority>", 0),
    ],
)
def test_a_priority_is_a_small_number(children: str, priority: int) -> None:
    assert priority_of(read(f"<presence>{children}</presence>")) == priority


@pytest.mark.parametrize("text", ["", "high", "128", "-129", "1.5", "1_0", "٣", "--1", "1000"])
def test_anything_else_is_no_priority(text: str) -> None:
    with pytest.raises(StanzaError) as caught:
        priority_of(read(f"<presence><priority>{text}</priority></presence>"))
    assert caught.value.condition == "bad-request"


# -- announcements


def test_who_becomes_available_tells_subscribers_and_asks_how_contacts_are() -> None:
    told = announce(None, 0, roster(), DirectedPresence())
    assert told == Announcement(
        (BOTH, FROM), probes=(BOTH, TO), requests=("<presence type='subscribe'/>",), takes_spool=True
    )


def test_who_says_more_tells_subscribers_and_asks_nothing() -> None:
    assert announce(0, 5, roster(), directed(STRANGER)) == Announcement((BOTH, FROM))


def test_what_waited_comes_with_the_first_priority_that_is_not_negative() -> None:
    assert not announce(None, -1, roster(), DirectedPresence()).takes_spool
    assert announce(-1, 0, roster(), DirectedPresence()).takes_spool
    assert not announce(0, 1, roster(), DirectedPresence()).takes_spool
    assert not announce(0, -1, roster(), DirectedPresence()).takes_spool


def test_the_end_is_told_to_subscribers_and_once_to_those_who_had_directed_presence() -> None:
    known = directed(STRANGER, JID.parse(f"{BOTH}/home"), TO)
    assert announce(0, None, roster(), known) == Announcement((BOTH, FROM), directed=[STRANGER, TO])
    assert not known


def test_a_session_that_never_was_available_tells_only_those_whom_it_told_directly() -> None:
    home = JID.parse(f"{BOTH}/home")
    assert announce(None, None, roster(), directed(home)) == Announcement((), directed=[home])


def test_rooms_that_another_session_takes_over_are_not_told() -> None:
    known = directed(STRANGER)
    place = JID.parse("verona@rooms.example/juliet")
    known.entered(place)
    assert announce(0, None, roster(), known, keeps_rooms=True) == Announcement((BOTH, FROM), directed=[STRANGER])
    assert known.targets() == [place]
    assert announce(0, None, roster(), known).directed == [place]


# -- probes


@dataclass
class Session:
    priority: int | None
    directed: DirectedPresence = field(default_factory=DirectedPresence)


def test_a_subscriber_sees_every_available_session() -> None:
    phone, laptop, connected = Session(0), Session(-1), Session(None)
    assert answer_probe(BOTH, True, [phone, connected, laptop]) == ProbeAnswer([phone, laptop])


def test_a_subscriber_sees_that_nobody_is_there() -> None:
    assert answer_probe(BOTH, True, [Session(None)]) == ProbeAnswer([], "unavailable")


def test_a_stranger_learns_that_there_is_no_subscription_and_no_more() -> None:
    nobody: list[Session] = []
    assert answer_probe(STRANGER, False, [Session(0)]) == ProbeAnswer((), "unsubscribed")
    assert answer_probe(STRANGER, False, nobody) == ProbeAnswer((), "unsubscribed")


def test_one_who_had_directed_presence_sees_the_session_that_sent_it() -> None:
    open_one = Session(0, directed(STRANGER.bare))
    assert answer_probe(STRANGER, False, [Session(0), open_one]) == ProbeAnswer([open_one])
    silent = Session(None, directed(STRANGER))
    assert answer_probe(STRANGER, False, [Session(0), silent]) == ProbeAnswer([])
