"""Two rosters face to face: what one sends, the other receives, and both know the same."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from fermata.core.records import Record, RequestRemoved, RequestSaved, RosterItemRemoved, RosterItemSaved
from fermata.core.roster import Change, Roster
from fermata.core.roster_item import RosterItem
from fermata.xmpp.element import Element
from fermata.xmpp.jid import JID

JULIET, ROMEO = JID.parse("juliet@capulet.example"), JID.parse("romeo@montague.example")
SUBSCRIPTION_TYPES = ["subscribe", "subscribed", "unsubscribe", "unsubscribed"]


class Side:
    """One account, what storage and its clients know of it, and whether it is shown the other one's presence."""

    def __init__(self, jid: JID, other: JID) -> None:
        self.jid, self.other = jid, other
        self.roster = Roster(1, jid, (), {})
        self.items: dict[str, RosterItem] = {}
        self.requests: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        self.is_shown = False

    def perform(self, change: Change) -> list[Element]:
        for record in change.records:
            self.keep(record)
        if change.push is not None:
            (item,) = change.push
            self.seen = {} if item.get("subscription") == "remove" else dict(item.attrib)
        stanzas = list(change.stanzas)
        if change.unavailable:
            stanzas.insert(0, Element("presence", {"type": "unavailable"}))
        if change.available:
            stanzas.append(Element("presence"))
        return stanzas

    def keep(self, record: Record) -> None:
        if isinstance(record, RosterItemSaved):
            self.items[record.jid] = RosterItem(*record[1:6], (), record.version)
        elif isinstance(record, RosterItemRemoved):
            self.items[record.jid] = RosterItem(record.jid, "", "remove", False, False, (), record.version)
        elif isinstance(record, RequestSaved):
            self.requests[record.jid] = record.xml
        elif isinstance(record, RequestRemoved):
            del self.requests[record.jid]

    def act(self, type: str) -> list[Element]:
        if type == "restart":
            self.roster = Roster(1, self.jid, self.items.values(), self.requests)
            return []
        if type in SUBSCRIPTION_TYPES:
            return self.perform(self.roster.send(Element("presence", {"type": type}), self.other))
        item = Element("{jabber:iq:roster}item", {"jid": self.other})
        if type == "remove":
            if self.roster.item(self.other) is None:
                return []
            item.set("subscription", "remove")
        query = Element("{jabber:iq:roster}query")
        query.append(item)
        return self.perform(self.roster.set_item(query))

    def take(self, stanza: Element) -> list[Element]:
        type = stanza.get("type", "available")
        if type in SUBSCRIPTION_TYPES:
            return self.perform(self.roster.receive(stanza, self.other))
        if self.roster.state(self.other).has_to:  # there are servers that drop the rest
            self.is_shown = type == "available"
        return []


def exchange(sender: Side, receiver: Side, stanzas: list[Element]) -> None:
    """Carries stanzas, and what they cause, until nothing is under way."""
    under_way = deque((receiver, sender, stanza) for stanza in stanzas)
    while under_way:
        taker, other, stanza = under_way.popleft()
        under_way.extend((other, taker, answer) for answer in taker.take(stanza))


ACTIONS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([*SUBSCRIPTION_TYPES, "set", "remove", "restart"])), max_size=30
)


@given(ACTIONS)
def test_both_sides_agree_after_any_sequence(actions: list[tuple[bool, str]]) -> None:
    juliet, romeo = Side(JULIET, ROMEO), Side(ROMEO, JULIET)
    for by_juliet, type in actions:
        sender, receiver = (juliet, romeo) if by_juliet else (romeo, juliet)
        exchange(sender, receiver, sender.act(type))
        for one, other in ((juliet, romeo), (romeo, juliet)):
            state, mirrored = one.roster.state(one.other), other.roster.state(other.other)
            assert state.has_to == mirrored.has_from
            assert state.ask == mirrored.pending_in
            assert (other.jid in one.roster.subscriptions) == (one.jid in other.roster.subscribers)


@given(ACTIONS)
def test_presence_is_shown_to_subscribers_and_to_nobody_else(actions: list[tuple[bool, str]]) -> None:
    juliet, romeo = Side(JULIET, ROMEO), Side(ROMEO, JULIET)
    for by_juliet, type in actions:
        sender, receiver = (juliet, romeo) if by_juliet else (romeo, juliet)
        exchange(sender, receiver, sender.act(type))
        for one in (juliet, romeo):
            has_to = one.roster.state(one.other).has_to
            if one is sender and type in ("unsubscribe", "remove"):
                one.is_shown = has_to  # its clients know best
            assert one.is_shown == has_to


@given(ACTIONS)
def test_what_is_kept_and_what_is_pushed_is_the_roster(actions: list[tuple[bool, str]]) -> None:
    juliet, romeo = Side(JULIET, ROMEO), Side(ROMEO, JULIET)
    for by_juliet, type in actions:
        sender, receiver = (juliet, romeo) if by_juliet else (romeo, juliet)
        exchange(sender, receiver, sender.act(type))
    for side in (juliet, romeo):
        answer = Roster(1, side.jid, side.items.values(), side.requests).get("")
        expected = side.roster.get("")
        assert answer.query is not None
        assert expected.query is not None
        assert [dict(item.attrib) for item in answer.query] == [dict(item.attrib) for item in expected.query]
        assert answer.query.get("ver") == expected.query.get("ver")
        assert [dict(item.attrib) for item in answer.query] == ([side.seen] if side.seen else [])
        assert side.requests == side.roster.requests


def test_a_side_that_has_forgotten_is_told_again() -> None:
    juliet, romeo = Side(JULIET, ROMEO), Side(ROMEO, JULIET)
    exchange(juliet, romeo, juliet.act("subscribe"))
    exchange(romeo, juliet, romeo.act("subscribed"))
    juliet.roster = Roster(1, JULIET, (), {})
    exchange(juliet, romeo, juliet.act("subscribe"))
    assert juliet.roster.subscriptions == (ROMEO,)
    assert juliet.is_shown
