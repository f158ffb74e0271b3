"""The state of a database, and bringing it up to date by hand."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from sqlalchemy import Engine

from . import migrations
from .connect import connect, sqlite_path
from .locks import FileLock
from .remote import PostgreSQLLink


class State(NamedTuple):
    """Which revision the tables have (None: there are none), which is wanted, and the steps from one to the other."""

    revision: str | None
    wanted: str
    missing: list[tuple[str, str]]

    @property
    def is_newer(self) -> bool:
        """Whether a newer server has made these tables."""
        return self.revision is not None and not migrations.is_known(self.revision)


def state(url: str) -> State:
    """The state of a database that is there. Raises StorageError."""
    with _connected(url) as engine:
        return _state(engine)


def upgrade(url: str) -> State:
    """Runs what is missing; returns the state before. Raises StorageError, also if a server uses the database."""
    with _connected(url) as engine, ExitStack() as held:
        is_file = engine.dialect.name == "sqlite"
        held.callback(FileLock(sqlite_path(engine)).close if is_file else PostgreSQLLink(engine).close)
        before = _state(engine)
        migrations.upgrade(engine)
        return before


def _state(engine: Engine) -> State:
    revision = migrations.current(engine)
    return State(revision, migrations.head(), migrations.missing(revision))


@contextmanager
def _connected(url: str) -> Iterator[Engine]:
    engine = connect(url, "process")
    try:
        yield engine
    finally:
        engine.dispose()
