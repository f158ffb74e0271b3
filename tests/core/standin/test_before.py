"""What was said in a room before the account came: clients that enter are shown what the room would show them."""

from fermata.core.standin import acts as done
from kit.standins import PHONE, TABLET, Stage
from kit.stanzas import find

LONG_AGO = "1970-01-02T00:00:00Z"


def bookmarked(*before: str) -> Stage:
    """The account is in by its bookmark; this was said before."""
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.presence("Ben")
    stage.presence("Ann", 110)
    for number, body in enumerate(before):
        stage.message(body, id=str(number), stamp=LONG_AGO)
    stage.subject()
    return stage


def test_an_account_that_enters_first_asks_for_as_much_history_as_it_can_show() -> None:
    stage = bookmarked()
    history = find(stage.to_room[0], "muc:x/muc:history")
    assert history is not None
    assert history.attrib == {"maxstanzas": "50"}


def test_what_the_room_tells_then_is_kept_beside_the_archive() -> None:
    stage = bookmarked("one", "two")
    assert stage.said == []
    (kept,) = stage.wants(done.Before)
    assert isinstance(kept, done.Before)
    assert [each.stamp for each in kept.messages] == [86_400.0, 86_400.0]


def test_clients_that_enter_later_read_it_before_what_the_archive_has() -> None:
    stage = bookmarked("one", "two")
    stage.message("since", id="7")
    for client in (PHONE, TABLET):
        stage.enters(client)
        assert stage.seen(client) == ["Ben", "Ann", "one", "two", "since", "subject"]


def test_a_client_that_wants_less_gets_less() -> None:
    stage = bookmarked("one", "two")
    stage.message("since", id="7")
    stage.enters(PHONE, inside="<history maxstanzas='2'/>")
    assert stage.seen(PHONE) == ["Ben", "Ann", "two", "since", "subject"]
    stage.enters(TABLET, inside="<history since='1970-01-03T00:00:00Z'/>")
    assert stage.seen(TABLET) == ["Ben", "Ann", "since", "subject"]


def test_one_that_waits_meanwhile_gets_no_more_than_it_wants() -> None:
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.enters(PHONE, inside="<history maxstanzas='1'/>")
    stage.enters(TABLET)
    stage.presence("Ann", 110)
    for body in ("one", "two"):
        stage.message(body, id=body, stamp=LONG_AGO)
    stage.subject()
    assert stage.seen(PHONE) == ["Ann", "two", "subject"]
    assert stage.seen(TABLET) == ["Ann", "one", "two", "subject"]


def test_what_one_client_has_entered_with_others_are_shown_too() -> None:
    stage = Stage()
    stage.enters(PHONE, inside="<history maxstanzas='20'/>")
    stage.presence("Ann", 110)
    stage.message("one", id="1", stamp=LONG_AGO)
    stage.subject()
    stage.enters(TABLET)
    assert stage.seen(PHONE) == stage.seen(TABLET) == ["Ann", "one", "subject"]


def test_it_is_gathered_once() -> None:
    stage = bookmarked("one")
    stage.clear()
    stage.presence("Ann", 110, 333, type="unavailable")
    stage.do(stage.stand_in.again("Ann"))
    stage.presence("Ann", 110)
    stage.message("one", id="0", stamp=LONG_AGO)
    stage.subject()
    assert not stage.wants(done.Before)


def test_who_is_in_is_not_told_it_because_another_client_of_his_enters() -> None:
    stage = bookmarked("one")
    stage.enters(PHONE)
    again = stage.restarted()
    again.enters(TABLET)
    again.presence("Ben")
    again.presence("Ann", 110)
    again.message("one", id="0", stamp=LONG_AGO)
    again.subject()
    assert "one" in again.seen(TABLET)
    assert "one" not in again.seen(PHONE)
