"""Who may go on with a stream between servers, and what was in doubt on it (XEP-0198 §5)."""

import pytest

from fermata.core.s2s.pair import Pair
from fermata.core.s2s.queue import Waiting
from fermata.core.s2s.resumable import MOST, MOST_OF_PAIR, MOST_OF_SITE, Direction, Resumable, Resumables
from fermata.core.stream_management import Inbound
from fermata.xmpp.errors import StreamError
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload

PAIR, OTHER = Pair("a.example", "b.example"), Pair("rooms.a.example", "b.example")
ANN = JID.parse("ann@b.example/phone")


def stream(id: str = "x", pair: Pair = PAIR, opened_here: bool = False, proof: str = "dialback") -> Resumable:
    return Resumable(Direction(pair, opened_here), id, proof, Inbound(), 0)


def waiting(count: int) -> list[Waiting]:
    return [Waiting(Payload("message", "/>", "tea@a.example", "groupchat"), ANN, 0, False) for _ in range(count)]


def known(*streams: Resumable) -> Resumables:
    made = Resumables()
    for each in streams:
        made.add(each)
    return made


def test_a_stream_is_found_by_its_id_and_its_pair() -> None:
    mine = stream("x")
    assert known(stream("w"), mine).accepted(PAIR, "x", "dialback") is mine


@pytest.mark.parametrize("id", ["", "X", "xx", "x ", "ü"])
def test_a_forged_id_finds_nothing(id: str) -> None:
    assert known(stream("x")).accepted(PAIR, id, "certificate") is None


def test_the_id_of_another_pair_finds_nothing() -> None:
    assert known(stream("x")).accepted(OTHER, "x", "certificate") is None
    assert known(stream("x")).accepted(Pair("a.example", "evil.example"), "x", "certificate") is None


def test_nobody_goes_on_with_a_stream_that_the_other_side_has_opened() -> None:
    streams = known(stream("x", opened_here=True))
    assert streams.accepted(PAIR, "x", "certificate") is None
    assert known(stream("x")).opened(PAIR) is None


@pytest.mark.parametrize(
    ("then", "now", "is_enough"),
    [
        ("dialback", "dialback", True),
        ("dialback", "certificate", True),
        ("certificate", "certificate", True),
        ("certificate", "dialback", False),
        ("dialback", "", False),
    ],
)
def test_weaker_proof_is_not_enough(then: str, now: str, is_enough: bool) -> None:
    streams = known(stream("x", proof=then))
    assert (streams.accepted(PAIR, "x", now) is not None) is is_enough


def test_of_a_pair_the_newest_two_are_kept() -> None:
    streams = known()
    gone = [each for number in range(5) for each in streams.add(stream(f"n{number}"))]
    assert [each.id for each in gone] == ["n0", "n1", "n2"]
    assert len(streams) == MOST_OF_PAIR
    assert streams.accepted(PAIR, "n2", "dialback") is None
    assert streams.accepted(PAIR, "n3", "dialback") is not None


def test_of_those_that_we_open_for_a_pair_the_last_is_kept() -> None:
    last = stream("n1", opened_here=True)
    streams = known(stream("n0", opened_here=True), last)
    assert streams.opened(PAIR) is last
    assert len(streams) == 1


def test_thousands_of_domains_of_one_site_cost_nobody_else_his_stream() -> None:
    mine = stream("mine", Pair("a.example", "honest.example"))
    streams = known(mine)
    for number in range(3 * MOST_OF_SITE):
        streams.add(stream("x", Pair("a.example", f"n{number}.evil.example")))
    assert len(streams) == MOST_OF_SITE + 1
    assert streams.accepted(mine.direction.pair, "mine", "dialback") is mine


def test_there_are_no_more_than_so_many_at_all() -> None:
    streams = known()
    for number in range(MOST + 10):
        streams.add(stream("x", Pair("a.example", f"n{number}.example")))
    assert len(streams) == MOST
    assert streams.accepted(Pair("a.example", "n9.example"), "x", "dialback") is None


def test_what_is_over_is_found_no_more_and_may_be_over_twice() -> None:
    mine = stream("x")
    streams = known(mine)
    for _ in range(2):
        streams.discard(mine)
    assert streams.accepted(PAIR, "x", "dialback") is None
    assert len(streams) == 0


# -- what was in doubt


def asleep(acked: int | None, count: int) -> Resumable:
    made = stream()
    made.acked, made.doubtful = acked, waiting(count)
    return made


def test_what_the_peer_has_is_not_in_doubt_any_more() -> None:
    mine = asleep(10, 3)
    first, second, third = mine.doubtful
    assert mine.told(12) == [first, second]
    assert mine.doubtful == [third]
    assert mine.told(12) == []


def test_numbers_begin_again_after_the_largest() -> None:
    mine = asleep(2**32 - 1, 3)
    assert len(mine.told(1)) == 2


@pytest.mark.parametrize("h", [14, 13 + 2**30, -1, 2**32, 2**40])
def test_nobody_has_what_was_never_sent(h: int) -> None:
    mine = asleep(10, 3)
    with pytest.raises(StreamError, match="undefined-condition") as raised:
        mine.told(h)
    assert f"h='{h}' send-count='13'" in raised.value.detail
    assert len(mine.doubtful) == 3


def test_a_peer_that_has_forgotten_what_it_acknowledged_counts_on_from_there() -> None:
    mine = asleep(10, 3)
    assert mine.told(8) == []
    assert (mine.acked, len(mine.doubtful)) == (8, 3)


def test_after_a_crash_here_the_peer_alone_knows_how_much_was_sent() -> None:
    mine = asleep(None, 0)
    assert mine.told(77) == []
    assert mine.acked == 77


def test_what_is_given_up_stays_in_doubt() -> None:
    mine = asleep(10, 3)
    assert len(mine.give_up()) == 3
    assert mine.is_over
    assert mine.doubtful == []
