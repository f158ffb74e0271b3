"""A database that refuses: a full disk, a commit that fails."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, make_url, select
from sqlalchemy.exc import DBAPIError

from fermata.core.records import MessageSpooled
from fermata.storage import tables
from fermata.storage.connect import connect, words
from fermata.storage.errors import StorageError
from kit.databases import Opened, Outbox, Place, message
from kit.full_disk import no_file_longer_than


def archived(opened: Opened) -> list[str]:
    return [xml for (xml,) in opened.rows(select(tables.archive.c.xml).order_by(tables.archive.c.seq))]


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_full_disk_loses_steps_and_tells_and_works_again_when_it_is_not_full(
    sqlite_place: Place, durability: str, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(sqlite_place._replace(durability="power" if durability == "power" else "process"))
    outbox = Outbox(opened)
    outbox.send(opened.keep(message(opened, "before")), "before")
    opened.commit()
    log = Path(f"{make_url(sqlite_place.url).database}-wal")
    with no_file_longer_than(log.stat().st_size + 1000):
        steps = [opened.keep(message(opened, "x" * 10_000)) for _ in range(3)]
        for step in steps:
            outbox.send(step, "lost")
        opened.commit()
    outbox.send(opened.keep(message(opened, "after")), "after")
    opened.commit()
    assert outbox.sent == ["before", "after"]
    assert outbox.refused == steps
    assert all(isinstance(step.error, StorageError) for step in steps)
    assert archived(opened) == ["<body>before</body>", "<body>after</body>"]


REFUSING_COMMITS = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.xml = '<body>refused</body>' THEN RAISE 'not this one'; END IF; RETURN NEW;
END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON archive DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def test_a_commit_that_fails_loses_its_batch_alone(postgresql_place: Place, open_at: Callable[[Place], Opened]) -> None:
    opened = open_at(postgresql_place)
    with psycopg.connect(postgresql_place.url, autocommit=True) as connection:
        connection.execute(REFUSING_COMMITS)
    outbox = Outbox(opened)
    for text in ("before", "refused", "after"):
        step = opened.keep(message(opened, text))
        outbox.send(step, text)
        opened.commit()
    assert outbox.sent == ["before", "after"]
    assert [str(step.error) for step in outbox.refused] != []
    assert "not this one" in str(outbox.refused[0].error)
    assert archived(opened) == ["<body>before</body>", "<body>after</body>"]


def test_an_error_does_not_repeat_what_was_to_be_kept(
    postgresql_place: Place, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(postgresql_place)
    step = opened.keep(MessageSpooled(4711, 1, 1.5, "<body>for her alone</body>"))
    opened.commit()
    assert "violates foreign key constraint" in str(step.error)
    assert "4711" not in str(step.error)
    engine = connect(postgresql_place.url, "process")
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(insert(tables.meta), [{"key": "x" * 9, "value": None}])
    assert "x" * 9 not in words(caught.value)
    engine.dispose()
