"""Runs reads: inline where the database is a file, in a pool of threads where it is a server."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, cast

from sqlalchemy import Connection, Dialect, Engine, Select
from sqlalchemy.exc import DBAPIError, OperationalError
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from .connect import dedicated, words
from .errors import StorageError

Row = tuple[Any, ...]

_THREADS = 4
_PAUSES_SECONDS = (0.0, 0.1, 0.5, 1.0, 2.0)  # before a read whose connection was lost is tried again


class Reader(Protocol):
    """Where the stores have their rows from."""

    async def rows(self, statement: Select[Any], **parameters: object) -> Sequence[Row]:
        """What a statement selects, everything that was submitted before taken into account. Raises StorageError."""


class Settling(Protocol):
    """The part of a writer that reads need."""

    async def settled(self) -> None:
        """Returns when everything that was submitted is committed, or has failed."""


class InlineReader:
    """Reads on a connection of its own in the caller's thread.

    It sees only what is committed, so an open batch is committed first; nothing but that is then done for the batch
    before the turn ends (see `TurnWriter.flush`), and the caller is not interrupted by the effects of others.
    """

    def __init__(self, engine: Engine, writer: Settling) -> None:
        self._connection = dedicated(engine)
        self._dialect = engine.dialect
        self._prepared: dict[Select[Any], Prepared] = {}
        self._writer = writer

    async def rows(self, statement: Select[Any], **parameters: object) -> Sequence[Row]:
        """What a statement selects. Raises StorageError."""
        await self._writer.settled()
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = Prepared(statement, self._dialect)
        try:
            return prepared.rows(self._connection, parameters)
        except self._dialect.loaded_dbapi.Error as error:
            raise StorageError(f"can't be read: {error}") from error

    def close(self) -> None:
        """Gives the connection back."""
        self._connection.close()


class Prepared:
    """A statement that was compiled once and goes straight to the driver: a login makes five small reads."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        # A parameter that the statement brings along (a literal limit) has its value here already.
        self._parameters = [(name, compiled.params[name]) for name in compiled.positiontup or ()]
        self._convert = [column.type.result_processor(dialect, None) for column in statement.selected_columns]
        self._is_plain = not any(self._convert)

    def rows(self, connection: Any, parameters: Mapping[str, object]) -> Sequence[Row]:
        """What it selects with these parameters."""
        values = [parameters.get(name, own) for name, own in self._parameters]
        rows: list[Row] = connection.execute(self._sql, values).fetchall()
        if self._is_plain:
            return rows
        return [
            tuple(
                value if convert is None else convert(value) for value, convert in zip(row, self._convert, strict=True)
            )
            for row in rows
        ]


class PooledReader:
    """Reads in a few threads, for a database that takes its time to answer."""

    def __init__(self, engine: Engine, writer: Settling, call_in_reactor: Callable[..., object]) -> None:
        self._engine = engine
        self._writer = writer
        self._call_in_reactor = call_in_reactor
        self._threads = ThreadPoolExecutor(_THREADS, "database reader")

    async def rows(self, statement: Select[Any], **parameters: object) -> Sequence[Row]:
        """What a statement selects. Raises StorageError."""
        await self._writer.settled()
        answer: Deferred[Sequence[Row]] = Deferred()
        self._threads.submit(self._answer, answer, statement, parameters)
        return await answer

    def close(self) -> None:
        """Waits for the reads that are under way; those that have not begun are never answered."""
        self._threads.shutdown(cancel_futures=True)

    def _answer(
        self, answer: Deferred[Sequence[Row]], statement: Select[Any], parameters: Mapping[str, object]
    ) -> None:
        try:
            rows = self._select(statement, parameters)
        except Exception as error:
            self._call_in_reactor(answer.errback, Failure(StorageError(f"can't be read: {words(error)}")))
        else:
            self._call_in_reactor(answer.callback, rows)

    def _select(self, statement: Select[Any], parameters: Mapping[str, object]) -> Sequence[Row]:
        pauses = iter(_PAUSES_SECONDS)
        while True:
            try:
                with self._engine.connect() as connection:
                    return rows_of(connection, statement, parameters)
            except DBAPIError as error:
                pause = next(pauses, None)
                # Where there is no connection yet, none is invalidated.
                if pause is None or not (error.connection_invalidated or isinstance(error, OperationalError)):
                    raise
                time.sleep(pause)


def rows_of(connection: Connection, statement: Select[Any], parameters: Mapping[str, object]) -> Sequence[Row]:
    """What a statement selects, on a connection where each statement is its own transaction."""
    rows: Any = connection.execute(statement, parameters).all()
    return cast(Sequence[Row], rows)
