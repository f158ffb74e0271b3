"""The write-ahead log is moved into the database while the server runs."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, make_url, select

from fermata.storage import tables
from kit.databases import Opened, Place, message

MEGABYTE = 1_000_000
ROWS, BYTES = 10, 1_000  # of a turn, of a row


def test_the_log_does_not_grow_for_ever_under_a_load_that_never_pauses(
    sqlite_place: Place, open_at: Callable[[Place], Opened]
) -> None:
    opened = open_at(sqlite_place)
    database = Path(str(make_url(sqlite_place.url).database))
    log = database.with_name(database.name + "-wal")
    turns = 100 * MEGABYTE // (ROWS * BYTES)
    for _ in range(turns):
        opened.keep(*(message(opened, "x" * BYTES, owner) for owner in range(ROWS)))
        opened.turns.end_turn()
    # What has been moved is overwritten. Three times as much as the rows goes through the log.
    assert log.stat().st_size < 100 * MEGABYTE
    assert database.stat().st_size > 50 * MEGABYTE
    assert opened.rows(select(func.count()).select_from(tables.archive)) == [(turns * ROWS,)]
