"""The log of sessions: files beside the database that are only ever appended to (`core.session_log` has the entries).

Each line has a checksum, so that one which a crash has cut short is known for what it is. A file that is *complete*
says everything about every session, and those before it are of no use any more; it gets its name when it is. One that
is not goes on where those before it end. What was written survives the end of the process, by any means, as it is with
the system then; nobody waits for the disk.
"""

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

from ..core.session_log import Entry
from .errors import StorageError

_log = logging.getLogger(__name__)
_FORMAT: Final = 1
_NAME: Final = re.compile(r"sessions-([0-9]{6,})\.log")
_encode: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Found(NamedTuple):
    """What an earlier process has left: its name, and the lines that it wrote."""

    run: str
    lines: Iterator[list[Entry]]


class SessionFiles:
    """Those in one directory. `run` names this process, `database` the database that they belong to."""

    def __init__(self, directory: Path, run: str, database: str) -> None:
        self._directory, self._run, self._database = directory, run, database
        self._file: int | None = None
        self._number = max((number for number, _ in self._all()), default=0)
        self.size = 0  #: bytes of the file that is written to now

    def found(self) -> Found | None:
        """What is to be read, if anything is. Raises StorageError if a newer version has written it."""
        files = [(path, header) for _, path in self._all() if (header := self._header(path)) is not None]
        while len(files) > 1 and any(header["complete"] for _, header in files[1:]):
            files.pop(0)
        if not files:
            return None
        return Found(files[-1][1]["run"], self._lines([path for path, _ in files]))

    def begin(self, lines: Iterable[list[Entry]]) -> None:
        """Writes everything about every session into a new file, and forgets the others. Raises OSError."""
        path = self._next()
        unfinished = path.with_name(path.name + ".part")
        self._open(unfinished, complete=True)
        for entries in lines:
            self.append(entries)
        os.replace(unfinished, path)
        self.drop_older()

    def go_on(self) -> None:
        """Goes on in another file, until `drop_older` says that nothing before it is needed any more."""
        self._open(self._next(), complete=False)

    def append(self, entries: Iterable[Any]) -> None:
        """Writes one line. Raises OSError, for instance if the disk is full."""
        if self._file is None:
            raise OSError("the log of sessions is not open")
        text = _encode(entries).encode("utf-8", "surrogatepass")
        line = b"%08x %s\n" % (crc32(text), text)
        written = os.write(self._file, line)
        self.size += written
        if written != len(line):
            raise OSError("the log of sessions could not be written whole")

    def drop_older(self) -> None:
        """Removes all files but the one that is written to."""
        for number, path in self._all():
            if number != self._number:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing more will be written."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _all(self) -> list[tuple[int, Path]]:
        found = [(match, path) for path in self._directory.iterdir() if (match := _NAME.fullmatch(path.name))]
        return sorted((int(match[1]), path) for match, path in found)

    def _next(self) -> Path:
        self._number += 1
        return self._directory / f"sessions-{self._number:06}.log"

    def _open(self, path: Path, complete: bool) -> None:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.close()
        self._file, self.size = file, 0
        header = {"format": _FORMAT, "run": self._run, "database": self._database, "complete": complete}
        self.append([header])

    def _header(self, path: Path) -> dict[str, Any] | None:
        """What a file says about itself; None if it is for another database, or was never begun properly."""
        with path.open("rb") as file:
            line = _read(file.readline())
        header = line[0] if line else None
        if not isinstance(header, dict):
            return None
        if header.get("format") != _FORMAT:
            raise StorageError(f"{path} was written by another version of Fermata; to go without its sessions, move it")
        return header if header.get("database") == self._database else None

    def _lines(self, paths: list[Path]) -> Iterator[list[Entry]]:
        for path in paths:
            with path.open("rb") as file:
                file.readline()
                for number, raw in enumerate(file, 2):
                    line = _read(raw)
                    if line is None:
                        if file.read(1):
                            _log.warning("%s is damaged from line %d: sessions may lack what is there", path, number)
                        break
                    yield line


def _read(raw: bytes) -> list[Any] | None:
    """What a line says; None if it was not written whole."""
    checksum, text = raw[:8], raw[9:-1]
    if raw[-1:] != b"\n" or checksum != b"%08x" % crc32(text):
        return None
    line: list[Any] = json.loads(text.decode("utf-8", "surrogatepass"))
    return line
