"""When to try again, and what is believed to be final."""

import pytest

from fermata.core.s2s.state import FINAL_SECONDS, Fault, LinkState, Phase


def fault(at: float, lasting: bool = False) -> Fault:
    return Fault("refused" if lasting else "silent", "nobody answers", at, lasting)


def test_attempts_come_at_growing_intervals_that_end_at_fifteen_minutes() -> None:
    state = LinkState(0)
    state.connecting(0)
    assert [state.failed(fault(0), 0) for _ in range(12)] == [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 900, 900]


def test_intervals_are_spread_by_up_to_a_quarter() -> None:
    assert LinkState(0).failed(fault(0), 1.0) == 1.25


def test_a_connection_begins_the_intervals_anew() -> None:
    state = LinkState(0)
    for _ in range(5):
        state.failed(fault(0), 0)
    state.connected(10)
    assert state.phase is Phase.UP
    assert state.fault is None
    state.broke(fault(20))
    assert state.failed(fault(21), 0) == 1


def test_what_is_refused_for_an_hour_is_dead() -> None:
    state = LinkState(0)
    state.failed(fault(0, lasting=True), 0)
    state.failed(fault(FINAL_SECONDS - 1, lasting=True), 0)
    assert state.phase is Phase.RETRYING
    state.failed(fault(FINAL_SECONDS, lasting=True), 0)
    assert state.phase is Phase.DEAD


def test_a_fault_that_passes_is_never_final_however_long_it_takes() -> None:
    state = LinkState(0)
    for hour in range(50):
        state.failed(fault(hour * 3600), 0)
    assert state.phase is Phase.RETRYING


def test_a_passing_fault_between_two_final_ones_begins_the_hour_anew() -> None:
    state = LinkState(0)
    state.failed(fault(0, lasting=True), 0)
    state.failed(fault(1800), 0)
    state.failed(fault(FINAL_SECONDS, lasting=True), 0)
    assert state.phase is Phase.RETRYING


def test_the_dead_come_back_with_a_connection() -> None:
    state = LinkState(0)
    state.failed(fault(0, lasting=True), 0)
    state.failed(fault(FINAL_SECONDS, lasting=True), 0)
    state.connected(FINAL_SECONDS + 1)
    assert state.phase is Phase.UP


@pytest.mark.parametrize(
    ("phase", "broken"),
    [
        (Phase.IDLE, False),
        (Phase.CONNECTING, False),
        (Phase.UP, False),
        (Phase.STALLED, True),
        (Phase.RETRYING, True),
        (Phase.DEAD, True),
    ],
)
def test_only_what_has_failed_is_broken(phase: Phase, broken: bool) -> None:
    state = LinkState(0)
    state.phase = phase
    assert state.is_broken is broken


def test_a_phase_knows_since_when_it_lasts() -> None:
    state = LinkState(5)
    assert state.since == 5
    state.connecting(6)
    state.failed(fault(7), 0)
    state.failed(fault(8), 0)
    assert state.since == 7
