"""Copies of an embedded database: made while a server writes to it, looked at before they are trusted, put in place.

The copying is SQLite's own (its online backup), between two connections and in steps. All steps see the database as it
was at the first one, because a transaction that only reads stays open meanwhile: writers go on, and nothing begins anew
because of them. It is done in the process of whoever wants the copy, not in the server's.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from . import migrations
from .errors import StorageError
from .locks import FileLock
from .statements import ARCHIVE_FLOOR

Progress = Callable[[int, int], None]  #: told how much is done, of how much

_PAGES_AT_ONCE: Final = 1024
_BUSY_SECONDS: Final = 10.0
_MAGIC: Final = b"SQLite format 3\0"
_SIDE_FILES: Final = ("", "-wal", "-shm")
# More messages than anybody archives between a backup and its restoration.
_SKIPPED_ARCHIVE_NUMBERS: Final = 1_000_000_000


def back_up(database: Path, target: Path, progress: Progress) -> None:
    """Writes a copy of a database, in use or not, to a new file that only its owner can read.

    Raises StorageError, and then no file is left.
    """
    if not database.exists():
        raise StorageError(f"there is no database {database}")
    if target.exists():
        raise StorageError(f"{target} is there already; nothing was overwritten")
    with _unfinished(target) as part:
        _copy(database, part, progress)
        _put(part, target)


def restore(backup: Path, database: Path, progress: Progress) -> Path | None:
    """Puts a backup in the place of a database that no server uses.

    Returns where the database is that was there before, None if there was none. Raises StorageError, with everything as
    it was, if the file is no whole database of this server or an older one, or if the database is in use.
    """
    _check_is_sqlite(backup)
    lock = FileLock(database)
    try:
        with _unfinished(database) as part:
            _copy(backup, part, progress)
            with _opened(part) as connection:
                _check_is_ours(backup, connection)
                _skip_archive_numbers(connection)
            before = _put_aside(database)
            _put(part, database)
    finally:
        lock.close()
    return before


def faults(database: Path) -> list[str]:
    """What is wrong inside a database file, in SQLite's words; nothing if it is whole. Raises StorageError."""
    with _opened(database) as connection:
        return _faults(connection)


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """An empty file beside `target` that is gone afterwards, unless it was moved. What goes wrong is a StorageError."""
    part = target.with_name(target.name + ".part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        text = f"{part} is there: another command is writing it, or one was killed and it can be removed"
        raise StorageError(text) from error
    except OSError as error:
        raise StorageError(f"{part} cannot be made: {error.strerror}") from error
    try:
        yield part
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        for suffix in (*_SIDE_FILES, "-journal"):
            Path(f"{part}{suffix}").unlink(missing_ok=True)


def _copy(source: Path, part: Path, progress: Progress) -> None:
    def step(status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with _opened(source) as origin, closing(_connect(part)) as copy:
        try:
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
            copy.execute("PRAGMA synchronous = OFF")  # it is put on the disk as a whole, at the end
            origin.backup(copy, pages=_PAGES_AT_ONCE, progress=step)
            copy.execute("PRAGMA journal_mode = DELETE")  # so that it is one file, which can be read anywhere
        except sqlite3.OperationalError as error:
            raise StorageError(f"{source} could not be copied to {part}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StorageError(f"{source} is damaged: {error}") from error


def _put(part: Path, target: Path) -> None:
    """Gives a finished file its name, durably."""
    _sync(part)
    part.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _put_aside(database: Path) -> Path | None:
    """Renames a database, with what SQLite has beside it, to a name that nothing has."""
    if not database.exists():
        return None
    with suppress(StorageError, sqlite3.Error), _opened(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # as a whole database is one file; a broken one stays
    number = 1
    while (aside := database.with_name(f"{database.name}.before-restore{'' if number == 1 else number}")).exists():
        number += 1
    for suffix in reversed(_SIDE_FILES):
        with suppress(FileNotFoundError):
            Path(f"{database}{suffix}").rename(f"{aside}{suffix}")
    return aside


def _check_is_sqlite(path: Path) -> None:
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    if not is_sqlite:
        raise StorageError(f"{path} is no SQLite database")


def _check_is_ours(path: Path, connection: sqlite3.Connection) -> None:
    found = _faults(connection)
    if found:
        raise StorageError(f"{path} is damaged: {found[0]}")
    try:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.execute("SELECT key, value FROM meta LIMIT 1").fetchall()
    except sqlite3.Error:
        rows = []
    if len(rows) != 1:
        raise StorageError(f"{path} is no database of Fermata")
    ((revision,),) = rows
    if not migrations.is_known(revision):
        known = migrations.head()
        raise StorageError(f"{path} was made by a newer Fermata (it has {revision}, known here is {known})")


def _faults(connection: sqlite3.Connection) -> list[str]:
    try:
        found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return found + [f"a row of {table} belongs to nothing" for table, *_ in orphans]


def _skip_archive_numbers(connection: sqlite3.Connection) -> None:
    """Stanza-ids that were given out after the backup was made are not given out again for other messages."""
    (newest,) = connection.execute("SELECT max(seq) FROM archive").fetchone()
    floor = connection.execute("SELECT value FROM meta WHERE key = ?", (ARCHIVE_FLOOR,)).fetchone()
    highest = max(newest or 0, int(floor[0]) if floor else 0) + _SKIPPED_ARCHIVE_NUMBERS
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (ARCHIVE_FLOOR, str(highest)))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a database that is there. Raises StorageError."""
    try:
        with closing(_connect(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be used: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=rw"  # it is never made here
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
