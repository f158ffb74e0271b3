"""The server under a service manager, as far as one can be played: sockets that it opens, what it is told."""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from twisted.internet.task import Clock

from fermata.app.health import STALL_SECONDS, Health
from fermata.app.notify import Supervisor
from fermata.app.operations import Operations
from fermata.app.web import site
from fermata.net.certificates import ensure_certificate
from fermata.net.tls import Identities
from kit.people import PASSWORD
from kit.server import START, Server
from kit.wire import Client

# What systemd does before it runs a service: descriptors from 3 on, variables that name the process, and the journal.
SYSTEMD = """
import os, sys
os.dup2(%d, 3)
journal = os.fstat(2)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="c2s")
os.environ.update(JOURNAL_STREAM=f"{journal.st_dev}:{journal.st_ino}")
os.execv(sys.argv[1], sys.argv[1:])
"""


class Manager:
    """Hears what services have to say, all the time."""

    def __init__(self, address: str | Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(address))
        self._heard: SimpleQueue[str] = SimpleQueue()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def next(self) -> str:
        """The next message. Raises queue.Empty if none comes."""
        return self._heard.get(timeout=START)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(b"END", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while (message := self._socket.recv(4096)) != b"END":
            self._heard.put(message.decode())


@pytest.fixture
def manager(short_dir: Path) -> Iterator[Manager]:
    manager = Manager(short_dir / "notify")
    yield manager
    manager.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Server]:
    """A server with a port that somebody else has opened; it is not started yet."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(tmp_path, {"c2s": {"listen": ["systemd:domain=INET:name=c2s"], "listen_direct_tls": []}})
        server.port = listening.getsockname()[1]
        server.inherited = (listening.fileno(),)
        server.program = [sys.executable, "-c", SYSTEMD % listening.fileno(), *server.program]
        yield server
    server.cut_all()
    if server.is_running():
        server.stop()
    assert not server.failures(), server.failures()


def test_a_service_serves_on_the_port_it_was_given_and_says_when_and_until_it_stops(
    service: Server, manager: Manager, short_dir: Path
) -> None:
    # Somebody is at the door before the server is there.
    waiting = Client(service.link())
    service.launch(NOTIFY_SOCKET=str(short_dir / "notify"), WATCHDOG_USEC="200000")
    assert manager.next() == "READY=1\nSTATUS=serving localhost"
    assert [manager.next(), manager.next()] == ["WATCHDOG=1", "WATCHDOG=1"]
    # The journal is no place for a password, so there is no first account.
    assert service.command("user", "list") == ""
    service.command("user", "add", "juliet@localhost", "--password", PASSWORD)
    waiting.open()
    waiting.authenticate("juliet", PASSWORD)
    waiting.bind()
    waiting.close()
    service.stop()
    messages = [manager.next()]
    while messages[-1] == "WATCHDOG=1":
        messages.append(manager.next())
    assert messages[-1] == "STOPPING=1"


def test_a_socket_that_was_not_passed_on_ends_the_start_with_words(tmp_path: Path) -> None:
    server = Server(tmp_path, {"c2s": {"listen": ["systemd:domain=INET:index=0"]}})
    server.launch()
    assert not server.is_running(START)
    server.wait_for_log("Fermata cannot start: systemd:domain=INET:index=0: systemd has passed on no such socket")


def test_a_manager_may_have_an_abstract_address() -> None:
    name = f"fermata-test-{os.getpid()}-{time.monotonic_ns()}"
    manager = Manager(f"\0{name}")
    Supervisor({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1", "STATUS=höher")
    assert manager.next() == "READY=1\nSTATUS=höher"
    manager.close()


def test_without_a_manager_to_be_told_nothing_goes_wrong() -> None:
    Supervisor({}).tell("READY=1")


def test_a_manager_that_is_gone_does_not_matter(short_dir: Path) -> None:
    Supervisor({"NOTIFY_SOCKET": str(short_dir / "gone")}).tell("READY=1")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_for_whom_it_is_meant(environment: dict[str, str], seconds: float | None) -> None:
    assert Supervisor(environment).watchdog_seconds == seconds


class Writer:
    """A writer's progress, as the test wants it."""

    durable = ticket = 0
    is_failing = False


def test_a_writer_that_is_stuck_gives_no_sign_of_life(manager: Manager, short_dir: Path, tmp_path: Path) -> None:
    clock, writer = Clock(), Writer()
    health = Health(writer, clock)
    pair = tmp_path / "cert.pem", tmp_path / "key.pem"
    ensure_certificate(*pair, ["localhost"])
    supervisor = Supervisor({"NOTIFY_SOCKET": str(short_dir / "notify"), "WATCHDOG_USEC": "4000000"})
    operations = Operations(clock, health, supervisor, Identities(*pair, ["localhost"]).files, lambda: None)
    operations.open([], site([], health.trouble))
    operations.ready("nobody")
    assert manager.next().startswith("READY=1")
    assert manager.next() == "WATCHDOG=1"
    writer.ticket = 1  # something is to be committed, and is not
    clock.pump([1] * 60)
    supervisor.tell("a minute has gone")
    writer.durable = 1
    clock.pump([1] * 2)
    supervisor.tell("two seconds more")
    messages = [manager.next() for _ in range(int(STALL_SECONDS / 2) + 2)]
    assert messages == ["WATCHDOG=1"] * (len(messages) - 3) + ["a minute has gone", "WATCHDOG=1", "two seconds more"]
