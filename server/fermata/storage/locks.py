"""One server for each database file: a second one would give out the same numbers."""

import fcntl
import os
from pathlib import Path

from .errors import StorageError


class FileLock:
    """A lock that ends with the process, whatever ends it."""

    def __init__(self, database: Path) -> None:
        """Takes the lock. Raises StorageError, naming who has it."""
        path = database.with_name(database.name + ".lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageError(f"{path} can't be made: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())
        except BlockingIOError as error:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip()
            os.close(self._file)
            raise StorageError(f"the database {database} is in use by another Fermata (process {holder})") from error
        except OSError as error:
            os.close(self._file)
            raise StorageError(f"{path} can't be locked: {error.strerror}") from error

    def close(self) -> None:
        """Lets the next one in."""
        os.close(self._file)
