"""Real clients, the server that they talk to, and one event loop for each test."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.clients import Clients
from interop.coroutines import pytest_pyfunc_call, runner
from interop.peers import Peer, PeerError, unpack
from kit.people import PASSWORD
from kit.server import Server

__all__ = ["pytest_pyfunc_call", "runner"]

ACCOUNTS = 200


@pytest.fixture(scope="session")
def profanity() -> Peer:
    """Profanity, a client for the terminal."""
    try:
        return unpack("profanity")
    except PeerError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Iterator[str]]]:
    """A server that insists on TLS, as it does without any configuration; and the accounts that nobody has used."""
    server = Server(tmp_path_factory.mktemp("strict"), {"c2s": {"require_tls": True}})
    names = [f"person{number}@localhost" for number in range(ACCOUNTS)]
    server.add_accounts((name, PASSWORD) for name in names)
    server.start()
    yield server, iter(names)
    server.stop()


@pytest.fixture
def clients(strict_server: tuple[Server, Iterator[str]], runner: asyncio.Runner, tmp_path: Path) -> Iterator[Clients]:
    server, names = strict_server
    mark = len(server.log)
    clients = Clients(server, names, tmp_path)
    yield clients
    runner.run(clients.leave())
    assert server.is_running(), f"the server is gone:\n{''.join(server.log[-40:])}"
    assert not server.failures(mark), f"the server's log:\n{server.failures(mark)}"
