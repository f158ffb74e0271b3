"""Where connections have broken lately."""

from fermata.core.breaks import Breaks


def test_a_break_is_recent_for_ten_minutes() -> None:
    breaks = Breaks()
    assert not breaks.is_recent("b.example", 0)
    breaks.note("b.example", 100)
    assert breaks.is_recent("b.example", 700)
    assert not breaks.is_recent("c.example", 700)
    assert not breaks.is_recent("b.example", 701)


def test_the_latest_break_counts() -> None:
    breaks = Breaks()
    breaks.note("b.example", 0)
    breaks.note("c.example", 100)
    breaks.note("b.example", 200)
    assert not breaks.is_recent("c.example", 750)
    assert breaks.is_recent("b.example", 750)


def test_a_break_of_all_connections_is_everybodys() -> None:
    breaks = Breaks()
    breaks.note("", 0)
    assert breaks.is_recent("b.example", 600)
    assert not breaks.is_recent("b.example", 601)


def test_domains_that_nobody_asks_about_are_forgotten() -> None:
    breaks = Breaks()
    for number in range(1000):
        breaks.note(f"d{number}.example", number * 10)
    assert len(breaks._until) == 61
