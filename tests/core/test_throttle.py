"""How often somebody may fail."""

from fermata.core.throttle import Failures


def test_so_many_failures_a_minute_are_forgiven_and_no_more() -> None:
    failures = Failures(3)
    for _ in range(3):
        assert not failures.is_full("a", 0.0)
        failures.note("a", 0.0)
    assert failures.is_full("a", 0.0)
    assert not failures.is_full("b", 0.0)


def test_they_are_forgotten_at_the_rate_that_is_allowed() -> None:
    failures = Failures(3)
    for _ in range(3):
        failures.note("a", 0.0)
    assert failures.is_full("a", 19.0)
    assert not failures.is_full("a", 21.0)


def test_a_light_failure_counts_for_a_part_of_one() -> None:
    failures = Failures(1)
    for _ in range(10):
        assert not failures.is_full("a", 0.0, 0.1)
        failures.note("a", 0.0, 0.1)
    assert failures.is_full("a", 0.0, 0.1)


def test_zero_is_no_limit() -> None:
    failures = Failures(0)
    for _ in range(1000):
        failures.note("a", 0.0)
    assert not failures.is_full("a", 0.0)


def test_strangers_cannot_fill_the_memory() -> None:
    failures = Failures(10)
    for number in range(25_000):
        failures.note(number, 0.0)
    assert len(failures._buckets) <= 10_000
    assert not failures.is_full(24_999, 0.0)
