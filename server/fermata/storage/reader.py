"""Runs reads: inline where the database is a file, in a pool of threads where it is a server."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.exc import DBAPIError

from .connect import words
from .errors import StorageError

Row = tuple[Any, ...]


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
        self._connection = engine.connect()
        self._writer = writer

    async def rows(self, statement: Select[Any], **parameters: object) -> Sequence[Row]:
        """What a statement selects. Raises StorageError."""
        await self._writer.settled()
        try:
            return rows_of(self._connection, statement, parameters)
        except DBAPIError as error:
            raise StorageError(f"can't be read: {words(error)}") from error

    def close(self) -> None:
        """Gives the connection back."""
        self._connection.close()


def rows_of(connection: Connection, statement: Select[Any], parameters: Mapping[str, object]) -> Sequence[Row]:
    """What a statement selects, on a connection where each statement is its own transaction."""
    rows: Any = connection.execute(statement, parameters).all()
    return cast(Sequence[Row], rows)
