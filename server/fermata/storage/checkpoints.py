"""Moves SQLite's write-ahead log into the database, without making the reactor wait for the disk."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import DBAPIError
from twisted.logger import Logger

from .connect import words

_log = Logger()

_PAGES = 1_000  # a checkpoint is made when about so many pages of 4 KB have been written
_PAGES_PER_ROW = 3  # one of the table and one of each index, when nothing is shared
_LONG_LOG = 8_000  # a log of so many pages must be brought to its end, or it grows for ever

CallInReactor = Callable[..., object]


class Checkpoints:
    """Counts what is written and makes checkpoints in a thread of its own.

    Commits that come while the thread is at it stay in the log, and the log begins anew only when nothing is left in
    it. Under a load that never pauses the last pages are therefore moved from the reactor's thread now and then.
    """

    def __init__(
        self,
        writer: sqlite3.Connection,
        open_connection: Callable[[], sqlite3.Connection],
        call_in_reactor: CallInReactor,
    ) -> None:
        self._writer = writer
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")
        self._open_connection = open_connection
        self._call_in_reactor = call_in_reactor
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._connection: sqlite3.Connection | None = None
        self._due = _PAGES // _PAGES_PER_ROW
        self._is_running = False
        self._is_closed = False

    def committed(self) -> None:
        """To be called after each commit."""
        if self._writer.total_changes >= self._due and not self._is_running:
            self._is_running = True
            self._thread.submit(self._run)

    def close(self) -> None:
        """Waits for the thread, moves what is left, and closes the connections."""
        self._thread.shutdown()
        self._is_closed = True
        if self._connection is not None:
            self._connection.close()
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()

    def _run(self) -> None:
        pages = 0
        try:
            if self._connection is None:
                self._connection = self._open_connection()
            pages = _checkpoint(self._connection)
        except (sqlite3.Error, DBAPIError) as error:
            _log.error("The write-ahead log could not be moved into the database: {error}", error=words(error))
        self._call_in_reactor(self._ran, pages)

    def _ran(self, pages: int) -> None:
        if self._is_closed:  # which has done the rest
            return
        self._is_running = False
        self._due = self._writer.total_changes + _PAGES // _PAGES_PER_ROW
        if pages > _LONG_LOG:
            _checkpoint(self._writer)


def _checkpoint(connection: sqlite3.Connection) -> int:
    """Moves what can be moved without waiting for anybody; returns how many pages the log had."""
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)
