"""Fixtures that start a real server. One server is shared by all tests of a process: each takes fresh names."""

import fcntl
import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from twisted.internet import threads
from twisted.internet.selectreactor import SelectReactor

from kit.databases import add_accounts
from kit.people import PASSWORD, Accounts, People, cycle, rooms
from kit.server import Server, Settings

# How long an example takes depends on who else uses the machine.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "expects_traceback: the server is meant to log an error in this test")


def pytest_collection_finish() -> None:
    """What is there by now stays: a fifth of the time of tests in memory was the collector's, looking at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory, accounts: Accounts) -> Server:
    """A server that never starts: its data hold the accounts, and are copied for each that does.

    The processes of one run share them.
    """
    own = tmp_path_factory.getbasetemp()
    directory = (own.parent if own.name.startswith("popen-") else own) / "registered"
    directory.mkdir(exist_ok=True)
    server = Server(directory)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "done").exists():
            (directory / "var").mkdir(0o700)
            add_accounts(server.database_url, accounts.all("localhost"), PASSWORD)
            (directory / "done").touch()
    return server


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory, registered: Server) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("fermata"))
    server.copy_data(registered)
    server.start()
    yield server
    if server.is_running():
        server.stop()


@pytest.fixture
def server(shared_server: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The shared server, which has to run after the test and to have logged no traceback during it."""
    if not shared_server.is_running():
        shared_server.start()
    yield from _watched(shared_server, request)


def _watched(server: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    mark = len(server.log)
    yield server
    server.cut_all()
    assert server.is_running(), f"the server is gone:\n{''.join(server.log[-40:])}"
    if request.node.get_closest_marker("expects_traceback") is None:
        assert not server.failures(mark), f"the server's log:\n{server.failures(mark)}"


@pytest.fixture
def launch(tmp_path: Path, registered: Server) -> Iterator[Callable[[Settings], Server]]:
    """Starts a server of the test's own, with settings of its own and the same accounts."""
    running: list[Server] = []

    def start(settings: Settings) -> Server:
        directory = tmp_path / f"server{len(running)}"
        directory.mkdir()
        server = Server(directory, settings)
        server.copy_data(registered)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.cut_all()
        if server.is_running():
            server.stop()
    failures = "".join(server.failures() for server in running)
    assert not failures, f"the server's log:\n{failures}"


@pytest.fixture
def people(server: Server, accounts: Accounts) -> Iterator[People]:
    """Logs in people whom nobody knows yet: their accounts are empty."""
    names = iter(accounts.fresh, "")
    logged_in = People(server, names)
    yield logged_in
    logged_in.go()


@pytest.fixture
def guests(server: Server, accounts: Accounts) -> Iterator[People]:
    """Logs in people whose accounts others had before: for tests that leave no trace in an account."""
    logged_in = People(server, cycle(accounts.shared))
    yield logged_in
    logged_in.go()


@pytest.fixture(scope="session")
def _rooms() -> Iterator[str]:
    return rooms("conference.localhost")


@pytest.fixture
def room(_rooms: Iterator[str]) -> str:
    """The address of a room that does not exist yet."""
    return next(_rooms)


@pytest.fixture
def reactor() -> Iterator[SelectReactor]:
    """A reactor of the test's own, running in a thread."""
    reactor = SelectReactor()
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False})
    started = threading.Event()
    reactor.callWhenRunning(started.set)
    thread.start()
    started.wait()
    yield reactor
    reactor.callFromThread(reactor.stop)
    thread.join()


@pytest.fixture
def run_in(reactor: SelectReactor) -> Callable[..., Any]:
    """Calls something, which may be a coroutine function, in the reactor and gives its result."""
    return lambda call, *arguments: threads.blockingCallFromThread(reactor, call, *arguments)
