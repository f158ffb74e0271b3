"""Opens a database by its URL, set up as the server wants it, and says in plain words why it can't."""

import os
from pathlib import Path
from typing import Any, Literal

import sqlalchemy
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from .errors import StorageError

Durability = Literal["process", "power"]

_BUSY_MILLISECONDS = 2_000  # how long another program (a backup, a shell) may hold the database up
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}

_OLDEST_POSTGRESQL = (13,)
# A database server that does not answer is noticed within half a minute.
_NOTICE_LOSS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


def connect(url: str, durability: Durability) -> Engine:
    """A pool of connections to the database, on which nothing is begun or committed but by statements of our own.

    `durability` is what committed data survives: the end of any process, or also a power cut. Raises StorageError.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _connect_sqlite(parsed, durability)
    return _connect_postgresql(parsed, durability)


def sqlite_path(engine: Engine) -> Path:
    """The file that an embedded database is in."""
    return Path(str(engine.url.database))


def dedicated(engine: Engine) -> Any:
    """A driver's connection for one purpose, outside the pool; whoever asked for it closes it."""
    pooled = engine.raw_connection()
    connection = pooled.driver_connection
    pooled.detach()
    return connection


def words(error: Exception) -> str:
    """What the database driver said, without what SQLAlchemy adds to it, and without the row that it was about.

    PostgreSQL shows that in a `DETAIL`; it may be somebody's message, and logs are not for those.
    """
    return str(error.orig if isinstance(error, DBAPIError) else error).partition("\nDETAIL:")[0].strip()


def _parse(url: str) -> URL:
    try:
        parsed = sqlalchemy.make_url(url)
    except ArgumentError as error:
        raise StorageError(f"{url!r} is no database URL: {error}") from error
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise StorageError(f"{parsed.get_backend_name()} is no database that can be used: take sqlite or postgresql")
    return parsed.set(drivername=driver)


def _connect_sqlite(url: URL, durability: Durability) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StorageError("a SQLite database must be a file: sqlite:///PATH")
    _make_private(Path(url.database))
    # No isolation level: the driver then begins no transactions by itself.
    engine = sqlalchemy.create_engine(
        url,
        connect_args={"isolation_level": None, "timeout": _BUSY_MILLISECONDS / 1000, "check_same_thread": False},
        hide_parameters=True,  # in errors, which are logged
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
        connection.execute(f"PRAGMA fullfsync = {int(durability == 'power')}")  # macOS: fsync alone does not suffice
        connection.execute("PRAGMA foreign_keys = ON")

    _try(engine)
    return engine


def _make_private(path: Path) -> None:
    """Makes the file, readable by its owner alone: it holds what passwords are checked against."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(f"the database {path} can't be opened: {error.strerror}") from error


def _connect_postgresql(url: URL, durability: Durability) -> Engine:
    # Commits of ours must wait for the disk even where the administrator has made that optional.
    options = {"options": "-c synchronous_commit=on"} if durability == "power" else {}
    try:
        engine = sqlalchemy.create_engine(
            url,
            connect_args={"autocommit": True, **_NOTICE_LOSS, **options},
            paramstyle="format",
            pool_size=4,
            hide_parameters=True,
        )
    except ImportError as error:
        raise StorageError("PostgreSQL needs the package psycopg: pip install 'fermata[postgres]'") from error
    _try(engine)
    if (engine.dialect.server_version_info or ()) < _OLDEST_POSTGRESQL:
        raise StorageError(f"PostgreSQL must be version {_OLDEST_POSTGRESQL[0]} or newer")
    return engine


def _try(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except DBAPIError as error:
        engine.dispose()
        name = engine.url.render_as_string(hide_password=True)
        raise StorageError(f"the database {name} can't be opened: {words(error)}") from error
