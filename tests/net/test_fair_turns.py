"""Who may do something when only so much can be done at a time."""

from twisted.internet.defer import CancelledError

from fermata.net.turns import Turns


def asking(turns: Turns, *parties: str) -> list[str]:
    """They all want their turn; the list says who has had it, and grows."""
    had: list[str] = []
    for party in parties:
        turns.begin(party).addCallback(lambda _, party=party: had.append(party))
    return had


def test_whoever_comes_while_there_is_room_has_his_turn_at_once() -> None:
    assert asking(Turns(3, 2), "a", "b", "a") == ["a", "b", "a"]


def test_one_party_takes_no_more_than_its_part_and_the_others_do_not_wait_for_it() -> None:
    turns = Turns(4, 2)
    had = asking(turns, "a", "a", "a", "a", "b")
    assert had == ["a", "a", "b"]
    turns.end("b")
    assert had == ["a", "a", "b"]
    turns.end("a")
    assert had == ["a", "a", "b", "a"]


def test_those_who_wait_are_served_by_turns() -> None:
    turns = Turns(1, 1)
    had = asking(turns, "x", "a", "a", "a", "b", "c")
    for _ in range(5):
        turns.end(had[-1])
    assert had == ["x", "a", "b", "c", "a", "a"]


def test_who_gives_up_while_he_waits_has_no_turn() -> None:
    turns = Turns(1, 1)
    had = asking(turns, "a")
    waiting = turns.begin("b")
    waiting.addErrback(lambda failure: failure.trap(CancelledError))
    had += asking(turns, "b")
    waiting.cancel()
    turns.end("a")
    assert waiting.called
    assert turns._under_way == {"b": 1}
    turns.end("b")
    assert (turns._under_way, turns._waiting) == ({}, {})
