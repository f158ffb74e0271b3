"""`fermata s2s` with two running servers that find each other by the DNS, and have nothing but dialback to go by."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.dns import NameServer
from kit.server import Server, Settings, free_port


@pytest.fixture
def dns() -> Iterator[NameServer]:
    with NameServer() as names:
        yield names


@pytest.fixture
def start(tmp_path: Path, dns: NameServer) -> Iterator[Callable[..., Server]]:
    """Starts a server for a domain, and makes it known in the DNS."""
    running: list[Server] = []

    def start_one(domain: str, **s2s: Any) -> Server:
        directory = tmp_path / domain
        directory.mkdir()
        port = free_port()
        dns.server(domain, port)
        settings: Settings = {
            "server": {"domains": [domain], "data_dir": str(directory / "var")},
            "s2s": {"listen": [f"tcp:{port}:interface=127.0.0.1"], "resolver": dns.resolver, **s2s},
        }
        server = Server(directory, settings)
        server.start()
        running.append(server)
        return server

    yield start_one
    for server in running:
        if server.is_running():
            server.stop()
        assert not server.failures()


def examined(server: Server, domain: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.command("s2s", "test", domain, "--json"))
    return found


def test_two_servers_prove_their_domains_by_dialback(start: Callable[..., Server]) -> None:
    ours = start("a.example")
    start("b.example")
    found = examined(ours, "b.example")
    assert (found["domain"], found["from"], found["is_reached"]) == ("b.example", "a.example", True)
    texts = [step["text"] for step in found["steps"]]
    assert "it does not prove b.example: its certificate is self-signed" in texts
    assert texts[-1] == (
        "the other server believes that we are a.example,"
        " by dialback: it has found this server by the DNS, and had our key confirmed"
    )
    assert json.loads(ours.command("s2s", "list", "--json")) == []
