"""When to try again, and what is believed to be final."""

import pytest

from fermata.core.s2s.state import FINAL_SECONDS, LinkState, Phase
from fermata.core.s2s.trouble import Cause, Trouble

SILENT = Trouble(Cause.SILENT, "nobody answers")
REFUSED = Trouble(Cause.REFUSED, "nobody listens")


def test_attempts_come_at_growing_intervals_up_to_a_minute() -> None:
    state = LinkState(0)
    state.connecting(0)
    assert [state.failed(SILENT, 0, 0) for _ in range(9)] == [1, 2, 5, 10, 30, 60, 60, 60, 60]


def test_after_an_hour_they_come_ever_more_rarely_up_to_a_quarter_of_an_hour() -> None:
    state = LinkState(0)
    state.failed(SILENT, 0, 0)
    assert [state.failed(SILENT, 3600 + at, 0) for at in range(6)] == [120, 300, 600, 900, 900, 900]


def test_intervals_are_spread_by_up_to_a_quarter() -> None:
    assert LinkState(0).failed(SILENT, 0, 1.0) == 1.25


def test_a_connection_begins_the_intervals_anew() -> None:
    state = LinkState(0)
    for _ in range(5):
        state.failed(SILENT, 0, 0)
    state.connected(10)
    assert state.phase is Phase.UP
    assert state.trouble is None
    state.broke(SILENT, 20)
    assert state.failed(SILENT, 21, 0) == 1


def test_what_is_refused_for_an_hour_is_dead() -> None:
    state = LinkState(0)
    state.failed(REFUSED, 0, 0)
    state.failed(REFUSED, FINAL_SECONDS - 1, 0)
    assert state.phase is Phase.RETRYING
    state.failed(REFUSED, FINAL_SECONDS, 0)
    assert state.phase is Phase.DEAD


def test_a_fault_that_passes_is_never_final_however_long_it_takes() -> None:
    state = LinkState(0)
    for hour in range(50):
        state.failed(SILENT, hour * 3600, 0)
    assert state.phase is Phase.RETRYING


def test_a_passing_fault_between_two_final_ones_begins_the_hour_anew() -> None:
    state = LinkState(0)
    state.failed(REFUSED, 0, 0)
    state.failed(SILENT, 1800, 0)
    state.failed(REFUSED, FINAL_SECONDS, 0)
    assert state.phase is Phase.RETRYING


def test_the_dead_come_back_with_a_connection() -> None:
    state = LinkState(0)
    state.failed(REFUSED, 0, 0)
    state.failed(REFUSED, FINAL_SECONDS, 0)
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
    state.failed(SILENT, 7, 0)
    state.failed(SILENT, 8, 0)
    assert state.since == 7
