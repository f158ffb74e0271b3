"""Opens the database and everything that reads and writes it; the rest of the server is given the parts."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from sqlalchemy import Engine

from . import crash_points, migrations, numbers
from .accounts import SQLAccounts
from .archive import SQLArchive
from .archive_ids import ArchiveIDs
from .batch import Batches, Link
from .checkpoints import Checkpoints
from .connect import Durability, connect, dedicated, sqlite_path
from .entities import SQLEntities
from .handled import SQLHandled
from .locks import FileLock
from .reader import InlineReader
from .rooms import SQLRooms
from .rosters import SQLRosters
from .secrets import secret
from .spool import SQLSpool
from .statements import Statements
from .tickets import Clock
from .values import SQLValues
from .writer import TurnWriter

_ARCHIVE_KEY_BYTES = 16


class Database:
    """An open database. `writer` and the stores are what `host.stores` asks for."""

    def __init__(self, url: str, durability: Durability, clock: Clock, call_in_reactor: Callable[..., object]) -> None:
        with ExitStack() as opened:
            self._engine = connect(url, durability)
            opened.callback(self._engine.dispose)
            opened.callback(FileLock(sqlite_path(self._engine)).close)
            migrations.upgrade(self._engine)
            self.writer = _open_writer(self._engine, clock, call_in_reactor)
            reader = InlineReader(self._engine, self.writer)
            opened.callback(reader.close)
            self._open_stores(reader)
            opened.callback(self.writer.close)
            self._opened = opened.pop_all()

    @classmethod
    def open(cls, url: str, durability: Durability, clock: Clock, call_in_reactor: Callable[..., object]) -> "Database":
        """Opens the database at a URL, brought to this server's tables. Raises StorageError.

        `clock` is the reactor, `call_in_reactor` its way in from other threads.
        """
        return cls(url, durability, clock, call_in_reactor)

    def _open_stores(self, reader: Any) -> None:
        with self._engine.connect() as connection:
            ids = ArchiveIDs(secret(connection, "of archive ids", _ARCHIVE_KEY_BYTES))
            self.entities = SQLEntities(reader, numbers.highest_entity(connection))
            self.spool = SQLSpool(reader, numbers.highest_spooled(connection))
            self.archive = SQLArchive(reader, ids, numbers.highest_archived(connection))
        self.accounts = SQLAccounts(reader)
        self.rosters = SQLRosters(reader)
        self.values = SQLValues(reader)
        self.rooms = SQLRooms(reader)
        self.handled = SQLHandled(reader)

    def secret(self, name: str, size: int = 32) -> bytes:
        """A key of `size` bytes that only this server knows, made when it is first asked for. Blocks."""
        with self._engine.connect() as connection:
            return secret(connection, name, size)

    def close(self) -> None:
        """Commits and releases what is open, and closes everything. Blocks while it does."""
        self._opened.close()


def _open_writer(engine: Engine, clock: Clock, call_in_reactor: Callable[..., object]) -> TurnWriter:
    connection = dedicated(engine)
    crash = crash_points.chosen()
    link = Link(connection.cursor(), "BEGIN IMMEDIATE", lambda: False)
    checkpoints = Checkpoints(connection, lambda: dedicated(engine), call_in_reactor)
    return TurnWriter(Batches(link, Statements(engine.dialect), crash), checkpoints, clock, crash)
