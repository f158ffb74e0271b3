"""What the benchmark asks of a server, and a server's process: a fresh one for each measurement."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

from .credentials import DOMAIN, Certificate
from .errors import BenchError

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_LAST_WORDS: Final = 1500  # characters
_STREAM: Final = (
    "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)


@dataclass(frozen=True)
class Reach:
    """Where other servers connect to one, on port 5269, and where it asks for them.

    `resolver` is the port of a name server; `hosts` has the same addresses, for programs that ask the C library.
    """

    address: str
    resolver: int
    hosts: Path


@dataclass(frozen=True)
class Place:
    """Where a server runs for one measurement. `directory` is its own, with its accounts in it.

    Without a `reach`, it has nothing to do with other servers.
    """

    directory: Path
    port: int
    certificate: Certificate
    keeps_archive: bool
    domain: str = DOMAIN
    reach: Reach | None = None
    keeps_journal: bool = True  #: of rooms, which only Fermata does


class Server(ABC):
    """A server program with documented settings. `name` is for the command line, `title` for tables."""

    name: str
    title: str

    @property
    @abstractmethod
    def accounts_of(self) -> str:
        """Servers with the same word here can use the same prepared accounts."""

    @abstractmethod
    def version(self) -> str:
        """What exactly is measured."""

    @abstractmethod
    def make_accounts(self, directory: Path, count: int, certificate: Certificate, domain: str = DOMAIN) -> None:
        """Fill an empty directory with a database that has the accounts u0, u1, … in it. Raises BenchError."""

    @abstractmethod
    def configure(self, place: Place) -> None:
        """Write its configuration."""

    @abstractmethod
    def command(self, place: Place) -> list[str]:
        """The command line that runs it in the foreground."""

    def environment(self, place: Place) -> dict[str, str]:
        """The variables to run it with."""
        return {**os.environ, "HOME": str(place.directory)}


class Running:
    """A server's process, in a context: it runs inside, and is gone outside, with all its children."""

    def __init__(self, server: Server, place: Place) -> None:
        self.server, self.place = server, place
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of its first process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers a stream. Raises BenchError."""
        self.server.configure(self.place)
        self._log = (self.place.directory / "output.log").open("ab")
        self._process = subprocess.Popen(
            self.server.command(self.place),
            cwd=self.place.directory,
            env=self.server.environment(self.place),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it: politely, then by force."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):  # its own process group: whatever of it is left
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if self._log is not None:
                self._log.close()

    def last_words(self) -> str:
        """The ends of its logs."""
        logs = sorted(self.place.directory.glob("*.log"))
        return "".join(log.read_text(errors="replace")[-_LAST_WORDS:] for log in logs)

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.place):
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(0.05)
                raise BenchError(f"{self.server.title} ended with status {status}:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.server.title} does not answer:\n{self.last_words()}")


def _answers(place: Place) -> bool:
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", place.port), 2) as connection:
            connection.sendall(_STREAM.format(domain=place.domain).encode())
            while b"</stream:features>" not in received:
                piece = connection.recv(4096)
                if not piece:
                    return False
                received += piece
            connection.sendall(b"</stream:stream>")
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fresh_directory(path: Path, template: Path | None = None) -> Path:
    """The directory, empty or as a copy of the template, whatever was there before."""
    shutil.rmtree(path, ignore_errors=True)
    if template is None:
        path.mkdir(parents=True)
    else:
        shutil.copytree(template, path)
    return path
