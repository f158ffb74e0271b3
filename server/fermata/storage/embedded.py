"""SQLite as the embedded database: its connection, and which writer goes with which durability."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import Engine

from .batch import Batches
from .checkpoints import Checkpoints
from .connect import Durability, dedicated
from .crash_points import CrashPoint
from .statements import statements_in
from .threaded import ThreadWriter
from .tickets import Clock
from .writer import TurnWriter


class SQLiteLink:
    """The connection that writes."""

    def __init__(self, connection: Any) -> None:
        self.cursor: Any = connection.cursor()
        self._together = nullcontext()

    def begin(self) -> None:
        """Begins a transaction that will write: a deferred one could find out too late that it can't."""
        self.cursor.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Commits it."""
        self.cursor.execute("COMMIT")

    def together(self) -> AbstractContextManager[object]:
        """Nothing is sent anywhere."""
        return self._together

    def is_lost(self) -> bool:
        """A file stays."""
        return False


class File:
    """What a thread writes to where each commit waits for the disk."""

    def __init__(self, connection: Any, batches: Batches) -> None:
        self._connection = connection
        self.write = batches.write

    def hurry(self) -> None:
        """A disk is not waited for in any other way."""

    def close(self) -> None:
        """Moves the write-ahead log into the database and closes it."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


def embedded_writer(
    engine: Engine,
    durability: Durability,
    clock: Clock,
    call_in_reactor: Callable[..., object],
    crash: CrashPoint | None,
) -> TurnWriter | ThreadWriter:
    """The writer for a file; only where a commit waits for the disk does it need a thread."""
    connection = dedicated(engine)
    batches = Batches(SQLiteLink(connection), statements_in(engine.dialect), crash)
    if durability == "power":
        return ThreadWriter(File(connection, batches), clock, call_in_reactor, crash)
    checkpoints = Checkpoints(connection, lambda: dedicated(engine), call_in_reactor)
    return TurnWriter(batches, checkpoints, clock, crash)
