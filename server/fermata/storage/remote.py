"""PostgreSQL as the database: a connection that may be lost, and what became of the batch that it had."""

import time
from contextlib import AbstractContextManager, suppress
from threading import Event
from typing import Any

from sqlalchemy import Engine
from twisted.logger import Logger

from ..core.records import Step
from .batch import Batches, fail
from .connect import dedicated, words
from .crash_points import CrashPoint
from .errors import StorageError
from .statements import statements_in

_log = Logger()

_LOCK_SECONDS = 2
PATIENCE_SECONDS = 30.0  # how long a lost connection is tried for before steps are given up
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0
_LOCK = 0x6665726D617461  # "fermata": the advisory lock of the one server that uses a database


class PostgreSQLLink:
    """The connection that writes. It holds the lock that keeps a second server away."""

    def __init__(self, engine: Engine) -> None:
        """Connects. Raises StorageError if another server has the database."""
        self._connection = dedicated(engine)
        self.cursor: Any = self._connection.cursor()
        self._second: Any = self._connection.cursor()
        self.transaction: str | None = None  #: the last one begun, until it is known to have been committed
        try:
            # The connection of a server that was killed a moment ago may have to end first.
            self.cursor.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
            self.cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            self.cursor.execute("SET lock_timeout = 0")
        except Exception as error:
            is_lost = self.is_lost()
            self.close()
            raise StorageError(words(error) if is_lost else "the database is in use by another Fermata") from error

    def begin(self) -> None:
        """Begins a transaction and asks for its number: should the connection break, it tells what became of it."""
        self.transaction = None
        self.cursor.execute("BEGIN")
        self._second.execute("SELECT pg_current_xact_id()::text")

    def commit(self) -> None:
        """Commits it."""
        self.transaction = self._second.fetchone()[0]
        self.cursor.execute("COMMIT")
        self.transaction = None

    def together(self) -> AbstractContextManager[object]:
        """Sends statements one after the other; errors come at the end of the block."""
        pipeline: AbstractContextManager[object] = self._connection.pipeline()
        return pipeline

    def is_lost(self) -> bool:
        """Whether the connection is broken."""
        return bool(self._connection.closed)

    def was_committed(self, transaction: str) -> bool:
        """Whether a transaction of an earlier connection was committed.

        It has ended one way or the other: that connection held the lock which this one has got.
        """
        row = self.cursor.execute("SELECT pg_xact_status(%s::text::xid8)", (transaction,)).fetchone()
        return bool(row[0] == "committed")

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


class RemoteBatches:
    """Writes batches, each once, over connections that come and go."""

    def __init__(self, engine: Engine, crash: CrashPoint | None, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Connects. Raises StorageError."""
        self._engine = engine
        self._statements = statements_in(engine.dialect)
        self._crash = crash
        self._patience_seconds = patience_seconds
        self._lost_at: float | None = None
        self._in_doubt: str | None = None  # a transaction that was being committed when the connection was lost
        self._hurry = Event()
        self._connect()

    def _connect(self) -> None:
        self._link = PostgreSQLLink(self._engine)
        self._batches = Batches(self._link, self._statements, self._crash)

    def write(self, steps: list[Step]) -> None:
        """Commits steps: afterwards each is in the database or has its `error` set."""
        pause = _FIRST_PAUSE_SECONDS
        self._in_doubt = None
        while True:
            try:
                self._write_once(steps)
            except Exception as error:
                if not self._may_try_again():
                    for step in steps:
                        fail(step, StorageError(f"the database can't be reached: {words(error)}"))
                    return
                self._hurry.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                self._lost_at = None
                return

    def hurry(self) -> None:
        """The server is stopping: from now on a lost connection is tried for once."""
        self._hurry.set()

    def close(self) -> None:
        """Ends the connection."""
        with suppress(Exception):
            self._link.close()

    def _write_once(self, steps: list[Step]) -> None:
        if self._link.is_lost():
            self._engine.dispose()  # the readers' connections are lost too
            self._connect()
            if self._in_doubt is not None and self._link.was_committed(self._in_doubt):
                return
        try:
            self._batches.write(steps)
        finally:
            self._in_doubt = self._link.transaction

    def _may_try_again(self) -> bool:
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
            _log.warn("The connection to the database is lost; trying again")
        return not self._hurry.is_set() and now - self._lost_at < self._patience_seconds
