"""Clients that come while the room still tells somebody else what he has missed."""

from kit.standins import PHONE, TABLET, Stage


def test_a_client_that_comes_while_the_missed_is_told_reads_it_once() -> None:
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.enters(PHONE)
    stage.enters(TABLET)
    stage.lets_in("Ben", subject="")
    stage.message("missed", stamp="2026-01-01T00:00:00Z")
    stage.subject()
    stage.message("live")
    for client in (PHONE, TABLET):
        assert stage.seen(client) == ["Ben", "Ann", "missed", "subject", "live"]
