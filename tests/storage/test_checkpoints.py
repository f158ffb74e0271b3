"""The write-ahead log is moved into the database while the server runs."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, make_url, select
from sqlalchemy.exc import OperationalError

from fermata.storage import tables
from fermata.storage.checkpoints import Checkpoints
from kit.databases import Opened, Place, message
from kit.turns import Turns

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


class Checkpointed:
    """A connection that writes, and checkpoints of what it writes; `faults` come when another connection is opened."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.writer = self._connect()
        self.writer.execute("PRAGMA journal_mode = WAL")
        self.writer.execute("CREATE TABLE line (text)")
        self.faults: list[Exception] = []
        self.turns = Turns()
        self.checkpoints = Checkpoints(self.writer, self._open, self.turns.call_in_reactor)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._database, isolation_level=None, check_same_thread=False)

    def _open(self) -> sqlite3.Connection:
        if self.faults:
            raise self.faults.pop()
        return self._connect()

    def write(self) -> None:
        """Enough for a checkpoint to be due."""
        self.writer.execute("BEGIN")
        self.writer.executemany("INSERT INTO line VALUES (?)", [("x" * 3000,)] * 400)
        self.writer.execute("COMMIT")
        self.checkpoints.committed()

    def wait(self) -> None:
        """Returns when one checkpoint has been made, or has failed."""
        is_made = iter([False, True])
        self.turns.until(lambda: next(is_made))

    def size(self) -> int:
        """Of the database, without the log."""
        return self._database.stat().st_size


def test_a_checkpoint_that_fails_is_made_later(tmp_path: Path) -> None:
    checkpointed = Checkpointed(tmp_path / "lines.db")
    checkpointed.faults.append(OperationalError("PRAGMA", {}, sqlite3.OperationalError("unable to open database file")))
    checkpointed.write()
    checkpointed.wait()
    assert checkpointed.size() < MEGABYTE
    checkpointed.write()
    checkpointed.wait()
    assert checkpointed.size() > MEGABYTE
    checkpointed.checkpoints.close()


def test_a_checkpoint_that_ends_with_the_server_disturbs_nobody(tmp_path: Path) -> None:
    checkpointed = Checkpointed(tmp_path / "lines.db")
    checkpointed.write()
    checkpointed.checkpoints.close()
    checkpointed.turns.end_turn()
    assert checkpointed.size() > MEGABYTE
