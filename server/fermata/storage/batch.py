"""One batch of steps as one transaction, and what becomes of it when the database refuses.

A batch is written whole. If that fails it is rolled back and written again step by step, so that a step which can't be
kept sinks alone, and with it only the later steps of its lineage.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from ..core.records import EntityGone, Step
from .connect import words
from .crash_points import CrashPoint
from .errors import StorageError
from .statements import KEYED, Erasure, Row, Statements, kept_row


class Cursor(Protocol):
    """What is needed of a database driver's cursor."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> object:
        """Runs one statement."""

    def executemany(self, sql: str, rows: Sequence[Row], /) -> object:
        """Runs one statement for each of the rows."""


class Rows:
    """The records of a batch, sorted by what has to be run.

    The last word about a key is the only one that is written; so the order of records matters only round an
    `EntityGone`, which is why that is run at once, after everything before it.
    """

    def __init__(self, cursor: Cursor, statements: Statements, crash: CrashPoint | None = None) -> None:
        self._cursor = cursor
        self._erasures: list[Erasure] = statements.erasures
        self._crash = crash
        self._written: list[tuple[str, list[Any]]] = []
        self._keyed: list[tuple[str, str, int, dict[Row, Any]]] = []
        self._place: dict[type[Any], Callable[[Any], object]] = {EntityGone: self._erase}
        for kind, sql in statements.written.items():
            rows: list[Any] = []
            self._written.append((sql, rows))
            self._place[kind] = rows.append
        self._prepare_keyed(statements)

    def _prepare_keyed(self, statements: Statements) -> None:
        placers: dict[str, Callable[[Any], object]] = {}
        for kind in KEYED:
            name, width, save, remove = statements.keyed[kind]
            if name not in placers:
                last: dict[Row, Any] = {}
                self._keyed.append((save, remove, width, last))
                placers[name] = _placer(last, width)
            self._place[kind] = placers[name]

    def add(self, step: Step) -> None:
        """Takes in the records of a step."""
        place = self._place
        for record in step.records:
            place[record.__class__](record)

    def write(self) -> None:
        """Runs what was taken in. The database driver's errors come through."""
        for sql, rows in self._written:
            if rows:
                self._cursor.executemany(sql, rows)
                rows.clear()
                if self._crash is not None:
                    self._crash("in-batch")
        for save, remove, width, last in self._keyed:
            if last:
                self._write_last(save, remove, width, last)

    def _write_last(self, save: str, remove: str, width: int, last: dict[Row, Any]) -> None:
        saved: list[Row] = []
        removed: list[Row] = []
        for record in last.values():
            row = kept_row(record)
            if row is None:
                removed.append(record[:width])
            else:
                saved.append(row)
        last.clear()
        if removed:
            self._cursor.executemany(remove, removed)
        if saved:
            self._cursor.executemany(save, saved)

    def forget(self) -> None:
        """Drops what was taken in and not written."""
        for _, rows in self._written:
            rows.clear()
        for *_, last in self._keyed:
            last.clear()

    def _erase(self, gone: EntityGone) -> None:
        self.write()
        for sql, parameters in self._erasures:
            self._cursor.execute(sql, (gone.number,) * parameters)


def _placer(last: dict[Row, Any], width: int) -> Callable[[Any], object]:
    def place(record: Any) -> None:
        last[record[:width]] = record

    return place


class Link(Protocol):
    """A connection whose transactions are begun and ended here, not by its driver."""

    @property
    def cursor(self) -> Cursor:
        """What statements are run with."""

    def begin(self) -> None:
        """Begins a transaction that will write."""

    def commit(self) -> None:
        """Commits it."""

    def together(self) -> AbstractContextManager[object]:
        """Within it, statements may be sent without waiting for the answers to those before."""

    def is_lost(self) -> bool:
        """Whether there is no connection any more, so that what was not committed is gone."""


class Batches:
    """Writes batches on one connection."""

    def __init__(self, link: Link, statements: Statements, crash: CrashPoint | None = None) -> None:
        self._link = link
        self._execute = link.cursor.execute
        self._rows = Rows(link.cursor, statements, crash)
        self._crash = crash

    def write(self, steps: Sequence[Step]) -> None:
        """Commits steps: afterwards each is on disk or has its `error` set.

        Raises only if the connection is lost: then it isn't known which.
        """
        if self._attempt(self._write_whole, steps) is not None:
            error = self._attempt(self._write_one_by_one, steps)
            if error is not None:
                for step in steps:
                    fail(step, error)

    def _attempt(self, write: Callable[[Sequence[Step]], None], steps: Sequence[Step]) -> Exception | None:
        try:
            write(steps)
        except Exception as error:
            self._rows.forget()
            if self._link.is_lost():
                raise
            # It may have rolled back by itself, as SQLite does when the disk is full.
            with suppress(Exception):
                self._execute("ROLLBACK")
            return error
        return None

    def _write_whole(self, steps: Sequence[Step]) -> None:
        with self._link.together():
            self._link.begin()
            for step in steps:
                lineage = step.lineage
                if lineage is not None and lineage.broken is not None:
                    fail(step, lineage.broken)
                elif step.error is None:
                    self._rows.add(step)
            self._rows.write()
        self._commit()

    def _write_one_by_one(self, steps: Sequence[Step]) -> None:
        self._link.begin()
        for step in steps:
            if step.lineage is not None and step.lineage.broken is not None:
                fail(step, step.lineage.broken)
            elif step.error is None:
                self._write_one(step)
        self._commit()

    def _write_one(self, step: Step) -> None:
        self._execute("SAVEPOINT step")
        try:
            self._rows.add(step)
            self._rows.write()
        except Exception as error:
            if self._link.is_lost():
                raise
            self._rows.forget()
            self._execute("ROLLBACK TO SAVEPOINT step")
            fail(step, error)
        self._execute("RELEASE SAVEPOINT step")

    def _commit(self) -> None:
        if self._crash is not None:
            self._crash("before-commit")
        self._link.commit()
        if self._crash is not None:
            self._crash("after-commit")


def fail(step: Step, error: Exception) -> None:
    """The step is lost for good, and whatever builds on it."""
    if step.error is None:
        step.error = error if isinstance(error, StorageError) else StorageError(f"not kept: {words(error)}")
        if step.lineage is not None and step.lineage.broken is None:
            step.lineage.broken = step.error
