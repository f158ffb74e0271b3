"""Opens the database and everything that reads and writes it; the rest of the server is given the parts."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ..host.stores import RecordedOccupancy, StoodIn
from ..xmpp.jid import JID
from . import crash_points, migrations, numbers
from .accounts import SQLAccounts
from .archive import SQLArchive
from .archive_ids import ArchiveIDs
from .connect import Durability, connect, sqlite_path, words
from .embedded import embedded_writer
from .entities import SQLEntities
from .errors import StorageError
from .handled import SQLHandled
from .locks import FileLock
from .nodes import SQLNodes
from .one_by_one import OneByOne
from .reader import InlineReader, PooledReader, Reader
from .recorded import recorded, said_last, stood_in, written_last
from .remote import RemoteBatches
from .rooms import SQLRooms
from .rosters import SQLRosters
from .secrets import noted, secret
from .spool import SQLSpool
from .threaded import ThreadWriter
from .tickets import Clock
from .values import SQLValues
from .writer import TurnWriter

CallInReactor = Callable[..., object]

_ARCHIVE_KEY_BYTES = 16


class Database:
    """An open database. `writer` and the stores are what `host.stores` asks for."""

    def __init__(self, url: str, durability: Durability, clock: Clock, call_in_reactor: CallInReactor) -> None:
        """Opens it; see `open`."""
        with ExitStack() as opened:
            self._engine = connect(url, durability)
            opened.callback(self._engine.dispose)
            if self._engine.dialect.name == "sqlite":
                self.writer, reader = _open_embedded(self._engine, durability, clock, call_in_reactor, opened)
            else:
                self.writer, reader = _open_remote(self._engine, clock, call_in_reactor, opened)
            self._open_stores(reader, clock)
            self._opened = opened.pop_all()

    @classmethod
    def open(cls, url: str, durability: Durability, clock: Clock, call_in_reactor: CallInReactor) -> "Database":
        """Opens the database at a URL, brought to this server's tables. Raises StorageError.

        `clock` is the reactor, and `call_in_reactor(function, *arguments)` its way in from other threads.
        """
        return cls(url, durability, clock, call_in_reactor)

    def _open_stores(self, reader: Reader, clock: Clock) -> None:
        with self._engine.connect() as connection:
            ids = ArchiveIDs(secret(connection, "of archive ids", _ARCHIVE_KEY_BYTES))
            self.entities = SQLEntities(reader, self.writer, numbers.highest_entity(connection))
            self.spool = SQLSpool(reader, numbers.highest_spooled(connection))
            self.archive = SQLArchive(reader, ids, numbers.highest_archived(connection), OneByOne(clock))
        self.accounts = SQLAccounts(reader)
        self.rosters = SQLRosters(reader)
        self.values = SQLValues(reader)
        self.rooms = SQLRooms(reader)
        self.handled = SQLHandled(reader)
        self.nodes = SQLNodes(reader)

    def secret(self, name: str, size: int = 32) -> bytes:
        """A key of `size` bytes that only this server knows, made when it is first asked for. Blocks."""
        with self._engine.connect() as connection:
            return secret(connection, name, size)

    def recorded(self) -> Iterator[RecordedOccupancy]:
        """Who was in which room when the process before this one ended, room by room. Blocks; raises StorageError."""
        try:
            with self._engine.connect() as connection:
                yield from recorded(connection)
        except DBAPIError as error:
            raise StorageError(f"who was in the rooms can't be read: {words(error)}") from error

    def stood_in(self) -> Iterator[StoodIn]:
        """What was saved of accounts' places in rooms. Blocks; raises StorageError."""
        try:
            with self._engine.connect() as connection:
                yield from stood_in(connection)
        except DBAPIError as error:
            raise StorageError(f"who stands in rooms can't be read: {words(error)}") from error

    def said_last(self, seconds: float) -> Iterator[tuple[JID, str]]:
        """The first message of the last so many seconds in each archive, by its stanza-id. Blocks."""
        with self._engine.connect() as connection:
            for owner, (number, seq) in said_last(connection, seconds).items():
                yield owner, self.archive.id_of(seq, number)

    def written_last(self, seconds: float) -> list[str]:
        """The messages of the last so many seconds in all archives, oldest first, as far as they are few. Blocks."""
        with self._engine.connect() as connection:
            return written_last(connection, seconds)

    def archived_at(self, seqs: Collection[int]) -> frozenset[int]:
        """Those of some places that are taken in anybody's archive. Blocks."""
        with self._engine.connect() as connection:
            return numbers.archived_at(connection, seqs)

    def noted(self, key: str) -> str:
        """What the newest `core.records.MetaSaved` of that key has left; empty if there was none. Blocks."""
        with self._engine.connect() as connection:
            return noted(connection, key)

    def close(self) -> None:
        """Commits and releases what is open, and closes everything. Blocks while it does."""
        self._opened.close()


def _open_embedded(
    engine: Engine, durability: Durability, clock: Clock, call_in_reactor: CallInReactor, opened: ExitStack
) -> tuple[TurnWriter | ThreadWriter, Reader]:
    opened.callback(FileLock(sqlite_path(engine)).close)
    migrations.upgrade(engine)
    writer = embedded_writer(engine, durability, clock, call_in_reactor, crash_points.chosen())
    reader = InlineReader(engine, writer)
    opened.callback(reader.close)
    opened.callback(writer.close)
    return writer, reader


def _open_remote(
    engine: Engine, clock: Clock, call_in_reactor: CallInReactor, opened: ExitStack
) -> tuple[ThreadWriter, Reader]:
    crash = crash_points.chosen()
    batches = RemoteBatches(engine, crash)
    opened.callback(batches.close)
    migrations.upgrade(engine)
    writer = ThreadWriter(batches, clock, call_in_reactor, crash)
    reader = PooledReader(engine, writer, call_in_reactor)
    opened.callback(reader.close)
    opened.callback(writer.close)
    return writer, reader
