"""`fermata s2s` with two running servers that find each other by the DNS, and have nothing but dialback to go by."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.dns import NameServer
from kit.people import PASSWORD
from kit.server import Server, Settings, free_port
from kit.stanzas import find
from kit.wire import Client


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
        server.cut_all()
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


def test_a_way_is_listed_from_its_first_message_and_closed_on_request(start: Callable[..., Server]) -> None:
    ours, theirs = start("a.example"), start("b.example")
    ann, ben = logged_in(ours, "ann@a.example"), logged_in(theirs, "ben@b.example")
    ann.send("<message to='ben@b.example' type='chat' id='1'><body>Hello</body></message>")
    assert ben.expect("message").get("from") == ann.jid
    (row,) = json.loads(ours.command("s2s", "list", "--json"))
    assert (row["local"], row["remote"], row["state"], row["direction"]) == ("a.example", "b.example", "up", "out")
    assert (row["proof"], row["encrypted"], row["sent"], row["queued"]) == ("dialback", True, 1, 0)
    assert ours.command("s2s", "list", "b.example").startswith("a.example\tb.example\tup\t")
    # Ours may not know yet that the first message arrived, and send it again: theirs knows it by its id.
    assert ours.command("s2s", "close", "b.example").endswith("closed\n")
    ann.send("<message to='ben@b.example' type='chat' id='2'><body>Still there?</body></message>")
    assert find(ben.expect("message"), "body").text == "Still there?"


def test_what_is_in_the_way_is_in_the_list(start: Callable[..., Server], dns: NameServer) -> None:
    ours = start("a.example")
    dns.server("b.example", free_port())
    ann = logged_in(ours, "ann@a.example")
    ann.send("<message to='ben@b.example' type='chat'><body>Hello</body></message>")
    row: dict[str, Any] = {"trouble": ""}
    while not row["trouble"]:
        (row,) = json.loads(ours.command("s2s", "list", "--json"))
    assert row["state"] == "retrying"
    assert row["queued"] == 1
    assert row["trouble"].endswith(": nobody listens there")


def logged_in(server: Server, jid: str) -> Client:
    name, domain = jid.split("@")
    server.command("user", "add", jid, "--password", PASSWORD)
    client = Client(server.link(), domain)
    client.open()
    client.authenticate(name, PASSWORD)
    client.bind()
    client.send("<presence/>")
    client.expect("presence")
    return client
