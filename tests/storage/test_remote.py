"""PostgreSQL goes away and comes back."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import select
from twisted.internet.defer import Deferred

from fermata.storage import remote, tables
from fermata.storage.errors import StorageError
from kit.databases import Opened, Outbox, Place, message
from kit.postgresql import PostgreSQL, drop_database, new_database


@pytest.fixture
def own_place(own_postgresql: PostgreSQL) -> Iterator[Place]:
    """A database on a server that may be stopped."""
    url = new_database(own_postgresql.url)
    yield Place(url.render_as_string(hide_password=False), "process")
    drop_database(own_postgresql.url, url)


def archived(opened: Opened) -> list[int]:
    return [seq for (seq,) in opened.rows(select(tables.archive.c.seq).order_by(tables.archive.c.seq))]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_the_database_loses_nothing_and_keeps_the_order(
    own_place: Place, own_postgresql: PostgreSQL, open_at: Callable[[Place], Opened], mode: str
) -> None:
    opened = open_at(own_place)
    outbox = Outbox(opened)
    outbox.send(opened.keep(message(opened)), 1)
    opened.commit()
    own_postgresql.stop(mode)
    for number in (2, 3, 4):
        outbox.send(opened.keep(message(opened)), number)
        opened.turns.end_turn()
    own_postgresql.start()
    opened.commit()
    assert outbox.sent == archived(opened) == [1, 2, 3, 4]


def test_steps_are_given_up_when_the_database_stays_away(
    own_place: Place, own_postgresql: PostgreSQL, open_at: Callable[[Place], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_at(own_place)
    outbox = Outbox(opened)
    destination: Any = opened.database.writer
    monkeypatch.setattr(destination._destination, "_patience_seconds", 0.2)
    own_postgresql.stop()
    try:
        lost = opened.keep(message(opened))
        outbox.send(lost, "lost")
        opened.commit()
        assert outbox.refused == [lost]
        assert "can't be reached" in str(lost.error)
        monkeypatch.setattr(destination._destination, "_patience_seconds", 1e9)
        began = time.monotonic()
        opened.keep(message(opened))
        opened.turns.end_turn()
        opened.database.close()
        assert time.monotonic() - began < 10, "closing does not wait for better times"
    finally:
        own_postgresql.start()


def test_reads_wait_for_the_database_to_come_back(
    own_place: Place, own_postgresql: PostgreSQL, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(own_place)
    opened.keep(message(opened))
    assert archived(opened) == [1]
    own_postgresql.stop()
    own_postgresql.start()
    assert archived(opened) == [1]


def test_reads_that_nobody_answers_do_not_hold_up_the_end(
    own_place: Place, own_postgresql: PostgreSQL, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(own_place)
    own_postgresql.stop()
    try:
        asked = [Deferred.fromCoroutine(opened.database.archive.message(1, 1)) for _ in range(40)]
        began = time.monotonic()
        opened.database.close()
        assert time.monotonic() - began < 10
        assert not any(answer.called for answer in asked)
    finally:
        own_postgresql.start()


@pytest.mark.parametrize("was_committed", [True, False])
def test_a_connection_lost_during_a_commit_neither_loses_nor_doubles(
    postgresql_place: Place,
    open_at: Callable[[Place], Opened],
    monkeypatch: pytest.MonkeyPatch,
    was_committed: bool,
) -> None:
    commit = remote.PostgreSQLLink.commit

    def lose_the_answer(link: Any) -> None:
        monkeypatch.setattr(remote.PostgreSQLLink, "commit", commit)
        transaction = link._second.fetchone()[0]
        if was_committed:
            link.cursor.execute("COMMIT")
        link.transaction = transaction
        link.close()
        raise psycopg.OperationalError("the server closed the connection unexpectedly")

    opened = open_at(postgresql_place)
    outbox = Outbox(opened)
    outbox.send(opened.keep(message(opened)), 1)
    opened.commit()
    monkeypatch.setattr(remote.PostgreSQLLink, "commit", lose_the_answer)
    outbox.send(opened.keep(message(opened), message(opened)), 2)
    opened.commit()
    assert outbox.sent == [1, 2]
    assert archived(opened) == [1, 2, 3]


def test_a_connection_that_is_ended_while_idle_is_made_again(
    postgresql_place: Place, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(postgresql_place)
    opened.keep(message(opened))
    assert archived(opened) == [1]
    with psycopg.connect(postgresql_place.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    step = opened.keep(message(opened))
    assert archived(opened) == [1, 2]
    assert step.error is None


def test_a_second_server_is_refused_until_the_first_is_closed(
    postgresql_place: Place, open_at: Callable[[Place], Opened]
) -> None:
    first = open_at(postgresql_place)
    with pytest.raises(StorageError, match="in use by another Fermata"):
        open_at(postgresql_place)
    first.database.close()
    open_at(postgresql_place)
