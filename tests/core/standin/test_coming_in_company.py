"""Clients that come while the room still tells somebody else what he has missed."""

import pytest

from fermata.core.standin.acts import Act
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


def test_what_a_room_here_has_told_in_one_go_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.enters(TABLET)
    stage.lets_in("Ben", subject="")
    acts: list[Act] = []
    with monkeypatch.context() as busy:
        busy.setattr(stage, "do", acts.extend)
        stage.message("missed", stamp="2026-01-01T00:00:00Z")
        stage.subject()
    stage.do(acts)
    assert stage.seen(TABLET) == ["Ben", "Ann", "missed", "subject"]
