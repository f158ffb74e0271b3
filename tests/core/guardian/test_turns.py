"""Who may ask something of a domain, and when."""

from itertools import pairwise

import pytest

from fermata.core.guardian.turns import PER_SECOND, Turns

TEA, COFFEE = "tea.example", "coffee.example"


def all_given(turns: Turns[str], now: float) -> list[tuple[float, str]]:
    """Those whose turn comes, each at its time."""
    given: list[tuple[float, str]] = []
    while (due := turns.next_deadline()) < float("inf"):
        now = max(now, due)
        given += [(now, who) for who in turns.given(now)]
    return given


def test_the_first_may_go_at_once_and_the_next_after_a_while() -> None:
    turns = Turns[str]()
    assert turns.ask(TEA, "ann", 100.0, False)
    assert not turns.ask(TEA, "ben", 100.0, False)
    assert all_given(turns, 100.0) == [(100.0 + 1 / PER_SECOND, "ben")]
    assert turns.ask(TEA, "cyd", 200.0, False)


def test_domains_do_not_wait_for_each_other() -> None:
    turns = Turns[str]()
    assert turns.ask(TEA, "ann", 100.0, False)
    assert turns.ask(COFFEE, "ann", 100.0, False)


def test_those_for_whom_somebody_waits_go_first() -> None:
    turns = Turns[str]()
    for who, is_waited_for in (("ann", False), ("ben", False), ("cyd", False), ("dan", True), ("eve", True)):
        turns.ask(TEA, who, 100.0, is_waited_for)
    assert [who for _, who in all_given(turns, 100.0)] == ["dan", "eve", "ben", "cyd"]


@pytest.mark.parametrize("late", [0.0, 0.02, 3.0])
def test_however_many_ask_no_more_go_in_a_second(late: float) -> None:
    turns = Turns[str]()
    times = [100.0 for who in range(500) if turns.ask(TEA, str(who), 100.0, who % 3 == 0)]
    now = 100.0
    while (due := turns.next_deadline()) < float("inf"):
        now = max(now, due) + late
        times += [now for _ in turns.given(now)]
    assert len(times) == 500
    assert all(other - one >= 1 / PER_SECOND - 1e-9 for one, other in pairwise(times))
