"""Stream management: every stanza is counted once, in order, and nothing is promised before it is durable."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fermata.core.stream_management import (
    ANSWER_SECONDS,
    REQUEST_SECONDS,
    REQUEST_STANZAS,
    WINDOW_CHARACTERS,
    WINDOW_STANZAS,
    Due,
    Inbound,
    Outbound,
)
from fermata.xmpp.errors import StreamError
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload

JULIET = JID.parse("juliet@capulet.example/balcony")
LAST = 2**32 - 1


def stanza(number: int = 0) -> Payload:
    return Payload("message", f" id='{number}'/>", "romeo@montague.example/orchard")


def writing(count: int, acked: int = 0) -> Outbound:
    """A session that has written so many stanzas."""
    outbound = Outbound(acked)
    for number in range(count):
        outbound.sent(stanza(number), JULIET)
    return outbound


def ids(queue: list[tuple[Payload, JID]]) -> list[str]:
    return [payload.rest.split("'")[1] for payload, _ in queue]


# -- outbound


def test_what_is_acked_is_forgotten_and_the_rest_is_kept_in_order() -> None:
    outbound = writing(4)
    outbound.acked(3)
    assert ids(outbound.unacked()) == ["3"]
    outbound.sent(stanza(4), JULIET)
    assert ids(outbound.unacked()) == ["3", "4"]
    outbound.acked(5)
    assert outbound.unacked() == []


@pytest.mark.parametrize("h", [3, 2, 0, LAST, 3 + 2**31])
def test_an_h_of_the_past_is_ignored(h: int) -> None:
    outbound = writing(5)
    outbound.acked(3)
    outbound.acked(h)
    assert ids(outbound.unacked()) == ["3", "4"]
    assert outbound.acked_h == 3


@pytest.mark.parametrize("h", [6, 1000, 2 + 2**31, 2**32, 2**32 + 4, 10**20])
def test_an_h_of_what_was_never_sent_ends_the_stream(h: int) -> None:
    outbound = writing(5)
    outbound.acked(3)
    with pytest.raises(StreamError) as caught:
        outbound.acked(h)
    assert caught.value.condition == "undefined-condition"
    assert caught.value.detail == f"<handled-count-too-high xmlns='urn:xmpp:sm:3' h='{h}' send-count='5'/>"
    assert ids(outbound.unacked()) == ["3", "4"]


def test_counters_wrap_round_at_two_to_the_thirty_two() -> None:
    outbound = writing(4, acked=LAST - 1)
    outbound.acked(LAST)
    assert ids(outbound.unacked()) == ["1", "2", "3"]
    outbound.acked(1)
    assert ids(outbound.unacked()) == ["3"]
    outbound.acked(LAST)
    assert ids(outbound.unacked()) == ["3"]
    with pytest.raises(StreamError) as caught:
        outbound.acked(3)
    assert "send-count='2'" in caught.value.detail
    outbound.acked(2)
    assert outbound.unacked() == []


def test_a_resumed_session_writes_again_what_was_not_handled_under_the_same_numbers() -> None:
    outbound = writing(4)
    outbound.acked(1)
    outbound.hibernate()
    again = outbound.resume(2)
    assert ids(again) == ["2", "3"]
    assert again[0][1] is JULIET
    outbound.sent(stanza(4), JULIET)
    outbound.acked(4)
    assert ids(outbound.unacked()) == ["4"]


def test_what_waited_in_a_spool_and_arrived_is_told_once() -> None:
    outbound = Outbound()
    for number in (0, 7, 0, 9, 11):
        payload = stanza()
        payload.spooled = number
        outbound.sent(payload, JULIET)
    assert outbound.acked(1) == []
    assert outbound.acked(4) == [7, 9]
    assert outbound.acked(3) == []
    outbound.hibernate()
    assert outbound.acked(5) == [11]
    assert outbound.resume(5) == []


def test_resuming_with_an_h_of_what_was_never_sent_ends_the_stream() -> None:
    with pytest.raises(StreamError):
        writing(2).resume(3)


def test_many_stanzas_are_asked_about_at_once() -> None:
    outbound = writing(REQUEST_STANZAS - 1)
    assert outbound.tick(100.0) is Due.NOTHING
    assert outbound.sent(stanza(), JULIET)
    assert outbound.tick(100.0) is Due.REQUEST
    assert not outbound.sent(stanza(), JULIET)
    assert outbound.tick(100.0) is Due.NOTHING
    assert outbound.next_deadline() == 100.0 + ANSWER_SECONDS


def test_a_few_stanzas_are_asked_about_after_a_while() -> None:
    outbound = Outbound()
    assert outbound.next_deadline() is None
    assert outbound.tick(99.0) is Due.NOTHING
    assert not outbound.sent(stanza(), JULIET)
    assert outbound.next_deadline() == 0.0
    assert outbound.tick(100.0) is Due.NOTHING
    assert outbound.next_deadline() == 100.0 + REQUEST_SECONDS
    assert outbound.tick(100.0 + REQUEST_SECONDS) is Due.REQUEST


def test_what_is_acked_unasked_is_not_asked_about() -> None:
    outbound = writing(1)
    outbound.tick(100.0)
    outbound.acked(1)
    assert outbound.next_deadline() is None
    assert outbound.tick(1000.0) is Due.NOTHING


def test_what_was_sent_after_the_request_is_asked_about_after_the_answer() -> None:
    outbound = writing(1)
    outbound.request(100.0)
    outbound.sent(stanza(1), JULIET)
    outbound.acked(1)
    assert outbound.tick(101.0) is Due.NOTHING
    assert outbound.tick(101.0 + REQUEST_SECONDS) is Due.REQUEST


def test_a_peer_that_does_not_answer_is_gone() -> None:
    outbound = writing(1)
    outbound.request(100.0)
    assert outbound.tick(100.0 + ANSWER_SECONDS - 0.1) is Due.NOTHING
    assert outbound.tick(100.0 + ANSWER_SECONDS) is Due.SILENT


def test_a_lost_connection_takes_its_request_with_it() -> None:
    outbound = writing(1)
    outbound.request(100.0)
    outbound.hibernate()
    outbound.resume(0)
    assert outbound.tick(1000.0) is Due.NOTHING
    assert outbound.tick(1000.0 + REQUEST_SECONDS) is Due.REQUEST


# -- inbound


def test_what_has_nothing_to_write_counts_as_soon_as_it_is_done() -> None:
    inbound = Inbound()
    position = inbound.begin()
    assert (inbound.h, inbound.is_settled) == (0, False)
    inbound.complete(position, 0)
    assert (inbound.h, inbound.is_settled) == (1, True)


def test_what_has_something_to_write_counts_when_it_is_durable() -> None:
    inbound = Inbound()
    inbound.complete(inbound.begin(), 7)
    inbound.complete(inbound.begin(), 0)
    inbound.complete(inbound.begin(), 8)
    assert (inbound.h, inbound.finished) == (0, 3)
    assert inbound.advance(6) == 0
    assert inbound.advance(7) == 2
    assert inbound.advance(7) == 2
    assert inbound.advance(9) == 3
    assert inbound.is_settled
    inbound.complete(inbound.begin(), 9)
    assert inbound.h == 4


def test_a_request_that_takes_its_time_holds_its_place() -> None:
    inbound = Inbound()
    first, second, third = inbound.begin(), inbound.begin(), inbound.begin()
    inbound.complete(third, 2)
    inbound.complete(second, 0)
    assert (inbound.advance(2), inbound.finished) == (0, 0)
    inbound.complete(first, 1)
    assert (inbound.h, inbound.finished) == (3, 3)


def test_a_later_ticket_before_an_earlier_one_counts_with_the_later() -> None:
    inbound = Inbound()
    first, second = inbound.begin(), inbound.begin()
    inbound.complete(first, 5)
    inbound.complete(second, 3)
    assert inbound.advance(4) == 0
    assert inbound.advance(5) == 2


def test_the_inbound_counter_wraps_round_too() -> None:
    inbound = Inbound(LAST)
    inbound.complete(inbound.begin(), 1)
    assert (inbound.h, inbound.finished) == (LAST, 0)
    inbound.complete(inbound.begin(), 1)
    assert inbound.advance(1) == 1


@pytest.mark.parametrize("position", [-1, 0, 1, 3, 4, 9])
def test_a_stanza_is_completed_once_and_only_if_it_came_in(position: int) -> None:
    inbound = Inbound()
    for _ in range(3):
        inbound.begin()
    inbound.complete(1, 0)
    inbound.complete(3, 0)
    with pytest.raises(ValueError, match="no stanza"):
        inbound.complete(position, 0)


def test_a_peer_that_never_asks_costs_no_memory() -> None:
    inbound = Inbound()
    for ticket in range(1, 10_001):
        inbound.complete(inbound.begin(), ticket)
    assert len(inbound._uncommitted) <= 256
    assert inbound.advance(9_999) == 9_999
    assert inbound.advance(10_000) == 10_000


def test_there_is_room_until_so_much_is_not_acknowledged() -> None:
    outbound = writing(WINDOW_STANZAS - 1)
    assert (outbound.room, outbound.is_full) == (1, False)
    outbound.request(100.0)
    assert outbound.sent(stanza(), JULIET)
    assert (outbound.room, outbound.is_full) == (0, True)
    outbound.acked(1)
    assert not outbound.is_full


def test_who_is_held_back_is_asked_at_once_and_when_the_answer_leaves_no_room_again() -> None:
    outbound = Outbound()
    assert outbound.sent(Payload("message", "x" * (WINDOW_CHARACTERS + 1), ""), JULIET)
    assert outbound.is_full
    assert outbound.tick(100.0) is Due.REQUEST


@pytest.mark.parametrize(("h", "left"), [(1, 2), (3, 0), (4, 0), (1000, 0)])
def test_a_queue_that_is_known_only_in_part_takes_the_peers_word_for_it(h: int, left: int) -> None:
    outbound = writing(3)
    outbound.adopt(h)
    assert outbound.acked_h == h
    assert len(outbound.unacked()) == left


# -- models


class OutboundModel(RuleBasedStateMachine):
    """Two peers, a lossy line between them: whatever happens, the peer gets every stanza once and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.start = LAST - 2
        self.outbound = Outbound(self.start)
        self.written = 0
        self.line: deque[int] = deque()
        self.got: list[int] = []

    def told(self) -> int:
        return (self.start + len(self.got)) % 2**32

    @rule()
    def send(self) -> None:
        self.outbound.sent(stanza(self.written), JULIET)
        self.line.append(self.written)
        self.written += 1

    @precondition(lambda self: self.line)
    @rule()
    def arrive(self) -> None:
        self.got.append(self.line.popleft())

    @rule()
    def ack(self) -> None:
        self.outbound.acked(self.told())

    @rule(back=st.integers(1, 3))
    def ack_late(self, back: int) -> None:
        self.outbound.acked((self.told() - min(back, len(self.got))) % 2**32)

    @rule(restarted=st.booleans())
    def cut_and_resume(self, restarted: bool) -> None:
        self.outbound.hibernate()
        if restarted:  # and read from the log of sessions
            before, self.outbound = self.outbound, Outbound(self.outbound.acked_h)
            for payload, to in before.unacked():
                self.outbound.sent(payload, to)
        self.line = deque(int(id) for id in ids(self.outbound.resume(self.told())))

    @rule(more=st.integers(1, 2**30))
    def lie(self, more: int) -> None:
        with pytest.raises(StreamError):
            self.outbound.acked((self.start + self.written + more) % 2**32)

    @invariant()
    def nothing_is_lost_doubled_or_out_of_order(self) -> None:
        assert self.got + list(self.line) == list(range(self.written))
        unacked = [int(id) for id in ids(self.outbound.unacked())]
        assert unacked == list(range(self.written - len(unacked), self.written))
        assert len(unacked) >= len(self.line)


TestOutboundModel = OutboundModel.TestCase


class InboundModel(RuleBasedStateMachine):
    """Stanzas finish in any order with any ticket; `h` is always the longest prefix whose effects are durable."""

    def __init__(self) -> None:
        super().__init__()
        self.start = LAST - 2
        self.inbound = Inbound(self.start)
        self.tickets: dict[int, int | None] = {}
        self.batch = 1
        self.durable = 0
        self.last = 0

    @rule()
    def begin(self) -> None:
        self.tickets[self.inbound.begin()] = None

    @precondition(lambda self: None in self.tickets.values())
    @rule(data=st.data(), writes=st.booleans())
    def complete(self, data: st.DataObject, writes: bool) -> None:
        position = data.draw(st.sampled_from([key for key, ticket in self.tickets.items() if ticket is None]))
        self.tickets[position] = self.batch if writes else 0
        self.inbound.complete(position, self.tickets[position] or 0)

    @rule()
    def next_batch(self) -> None:
        self.batch += 1

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        self.durable = data.draw(st.integers(self.durable, self.batch))
        assert self.inbound.advance(self.durable) == self.prefix(self.durable)

    def prefix(self, durable: int) -> int:
        count = 0
        for ticket in self.tickets.values():
            if ticket is None or ticket > durable:
                break
            count += 1
        return (self.start + count) % 2**32

    @invariant()
    def h_is_what_is_durable(self) -> None:
        assert self.inbound.h == self.prefix(self.durable)
        assert self.inbound.finished == self.prefix(self.batch)
        assert self.inbound.is_settled == (self.prefix(self.durable) == (self.start + len(self.tickets)) % 2**32)


TestInboundModel = InboundModel.TestCase


@given(st.integers(-(2**33), 2**33), st.integers(0, LAST), st.integers(0, 20))
def test_any_h_is_taken_ignored_or_refused(h: int, acked: int, count: int) -> None:
    outbound = writing(count, acked)
    try:
        outbound.acked(h)
    except StreamError:
        assert len(outbound.unacked()) == count
    assert 0 <= outbound.acked_h <= LAST
    assert (outbound.acked_h + len(outbound.unacked())) % 2**32 == (acked + count) % 2**32
