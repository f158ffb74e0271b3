"""Who has left a room while our server was away is seen to have left, by clients that have outlived it."""

from fermata.core.standin import acts as done
from fermata.core.standin.state import MOST_SHOWN, SHOWN_SECONDS
from kit.standins import PHONE, TABLET, Stage


def attached(*others: str) -> Stage:
    """The phone is attached, and has seen these."""
    stage = Stage()
    stage.enters(PHONE)
    stage.lets_in(*others)
    return stage


def back(stage: Stage, *others: str) -> Stage:
    """The server has started again; so many are there still."""
    again = stage.restarted()
    again.do(again.stand_in.sure())
    again.lets_in(*others)
    return again


def test_who_has_gone_meanwhile_is_shown_to_have_gone() -> None:
    again = back(attached("Ben", "Cyd"), "Ben", "Dan")
    assert again.seen() == ["-Cyd", "Ben", "Dan", "Ann", "subject"]


def test_that_is_shown_once_and_to_those_who_saw_him() -> None:
    again = attached("Ben", "Cyd").restarted()
    again.do(again.stand_in.sure())
    again.enters(TABLET)
    again.lets_in("Ben")
    assert "-Cyd" not in again.seen(TABLET)
    again.clear()
    again.stand_in.state.doubted()
    again.presence("Ann", 110, 333, type="unavailable")
    again.do(again.stand_in.again("Ann"))
    again.lets_in("Ben")
    assert again.seen(PHONE) == []


def test_who_has_come_is_on_disk_within_a_minute() -> None:
    stage = attached("Ben")
    stage.after(10)
    stage.clear()
    stage.presence("Cyd")
    stage.presence("Dan")
    assert not stage.wants(done.Save)
    stage.after(SHOWN_SECONDS)
    assert len(stage.wants(done.Save)) == 1
    stage.presence("Cyd", inside="<show>away</show>")
    stage.after(10 * SHOWN_SECONDS)
    assert len(stage.wants(done.Save)) == 1


def test_without_clients_nothing_of_that_is_kept() -> None:
    stage = attached("Ben")
    stage.wished()
    stage.leaves()
    stage.clear()
    stage.presence("Cyd")
    stage.after(2 * SHOWN_SECONDS)
    assert not stage.wants(done.Save)
    assert "Ben" not in stage.stand_in.state.saved()


def test_of_a_very_large_room_the_newest_are_kept() -> None:
    stage = attached(*(f"n{number}" for number in range(MOST_SHOWN + 5)))
    shown = stage.restarted().stand_in.state.shown
    assert len(shown) == MOST_SHOWN
    assert shown[-1] == f"n{MOST_SHOWN + 4}"


def test_a_second_start_before_the_room_has_told_forgets_nobody() -> None:
    again = back(attached("Ben", "Cyd").restarted(), "Ben")
    assert "-Cyd" in again.seen()
