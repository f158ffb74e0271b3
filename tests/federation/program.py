"""A peer's process, with its output in a file."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from abc import abstractmethod
from pathlib import Path

from .place import CLIENTS, Place
from .site import Site

START = 60.0  # seconds in which a server has to listen, or to end


class Program(Site):
    """A server from a Debian package. A subclass says how it is configured and run."""

    def __init__(self, place: Place, people: int) -> None:
        super().__init__(place, people)
        self._process: subprocess.Popen[bytes] | None = None
        place.directory.mkdir(parents=True)
        self.configure()

    @property
    def directory(self) -> Path:
        return self.place.directory

    @abstractmethod
    def configure(self) -> None:
        """Write its configuration, and its accounts."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line that runs it in the foreground."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The variables to run it with, beside those of this process."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether everybody can log in, once it listens."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client_address(self) -> tuple[str, int]:
        return self.place.address, CLIENTS

    def said(self) -> str:
        return "".join(log.read_text(errors="replace") for log in sorted(self.directory.glob("*.log")))

    def start(self) -> None:
        with (self.directory / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                env={**os.environ, "HOME": str(self.directory), **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START
        while not (self._listens() and self.is_ready()):
            assert not self._ends(0.02), f"{self.software} ended at once:\n{self.said()[-3000:]}"
            assert time.monotonic() < deadline, f"{self.software} is not ready:\n{self.said()[-3000:]}"

    def _listens(self) -> bool:
        try:
            socket.create_connection(self.client_address(), 1).close()
        except OSError:
            return False
        return True

    def _ends(self, within: float) -> bool:
        assert self._process is not None
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        if not self._ends(START / 2):
            self.kill()
            raise AssertionError(f"{self.software} did not stop:\n{self.said()[-3000:]}")
        self.kill()

    def kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):  # its own process group: whatever of it is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
