"""The load generator compiles, counts right, and notices what a server or a link does wrong."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.credentials import make_certificate
from bench.errors import BenchError
from bench.fermata import Fermata
from bench.generator import Generator, compile_generator
from bench.measure import Timing, Workshop
from bench.scenarios import SCENARIOS
from bench.servers import Place, Running, free_port, fresh_directory

from kit.faulty_relay import BrokenLinkError, Change, FaultyRelay

pytestmark = pytest.mark.slow

CLIENTS = 20
SHORT = "--seconds 0.3 --warmup 0.1"
CHAT = f"chat --clients {CLIENTS} --window 2 {SHORT}"
GROUPCHAT = f"groupchat --clients {CLIENTS} --rooms 2 --senders 2 {SHORT}"

Load = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator. A workshop in the same directory does not compile it again."""
    try:
        return compile_generator(tmp_path_factory.mktemp("generator"))
    except BenchError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("fermata")
    certificate = make_certificate(directory)
    server = Fermata()
    server.make_accounts(directory, CLIENTS, certificate)
    with Running(server, Place(directory, free_port(), certificate, True)) as running:
        yield running


@pytest.fixture
def load(compiled: Path, running: Running, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Runs the generator with these arguments, against the server or what stands before it."""
    generator = Generator(compiled, tmp_path_factory.getbasetemp() / "keys")

    def run(arguments: str, port: int = running.place.port) -> dict[str, Any]:
        return generator.run(arguments.split(), port=port, server_pid=running.pid, timeout=40)

    return run


@pytest.fixture
def load_through(load: Load, running: Running) -> Load:
    """The same, over a link that changes messages."""

    def run(arguments: str, change: Change) -> dict[str, Any]:
        with FaultyRelay(running.place.port, change) as relay:
            return load(arguments, relay.port)

    return run


def every(number: int, changed: Callable[[bytes], bytes]) -> Change:
    return lambda count, message: changed(message) if count % number == 0 else message


def test_a_second_of_chat_loses_nothing(compiled: Path) -> None:
    workshop = Workshop(fresh_directory(compiled.parent / "chat"), Timing(1, 0.2, 1))
    server = Fermata()
    scenario = dataclasses.replace(SCENARIOS[0], clients=CLIENTS)
    workshop.prepare(server, scenario.accounts)
    measured = workshop.measure(server, scenario)
    assert measured["good"], json.dumps(measured)
    assert measured["faults"] == {}
    assert measured["delivered"] == measured["expected"] == measured["sent"] > CLIENTS
    assert 0 < measured["count"] < measured["delivered"]
    assert measured["seconds"] == pytest.approx(1, abs=0.5)
    assert measured["cpu_us"] > 1
    assert measured["tls"].startswith("TLSv1.3")
    assert measured["p50_ms"] <= measured["p99_ms"] <= measured["longest_ms"]


@pytest.mark.parametrize("key", ["s2s-group-1x200", "s2s-chat-hanging"])
def test_between_two_servers_nothing_is_lost(compiled: Path, key: str) -> None:
    workshop = Workshop(fresh_directory(compiled.parent / key), Timing(0.5, 0.2, 1))
    (scenario,) = (each for each in SCENARIOS if each.key == key)
    measured = workshop.measure(Fermata(), dataclasses.replace(scenario, clients=CLIENTS))
    assert measured["good"], json.dumps(measured)
    assert measured["delivered"] == measured["expected"] > CLIENTS
    assert measured["cpu_us"] > 1


def test_each_occupant_counts_for_a_message_to_a_room(load: Load) -> None:
    measured = load(GROUPCHAT)
    assert measured["good"], json.dumps(measured)
    assert measured["delivered"] == measured["expected"] == measured["sent"] * CLIENTS // 2
    assert measured["presences"] == CLIENTS * CLIENTS // 2


def test_each_presence_of_a_crowd_that_enters_counts(load: Load) -> None:
    measured = load(f"join --clients {CLIENTS}")
    assert measured["good"], json.dumps(measured)
    assert measured["count"] == CLIENTS * CLIENTS - 1


@pytest.mark.parametrize("more", ["", " --tls", " --tls --plain"])
def test_logins_are_counted(load: Load, more: str) -> None:
    measured = load(f"login --clients {CLIENTS}{more}")
    assert measured["good"], json.dumps(measured)
    assert measured["count"] == CLIENTS


def test_acknowledgements_change_nothing_in_the_count(load: Load) -> None:
    measured = load(f"{CHAT} --tls --stream-management")
    assert measured["good"], json.dumps(measured)
    assert measured["delivered"] == measured["expected"]


def test_a_link_without_faults_is_none(load_through: Load) -> None:
    measured = load_through(CHAT, lambda _, message: message)
    assert measured["good"], json.dumps(measured)


@pytest.mark.parametrize("arguments", [CHAT, GROUPCHAT])
def test_lost_messages_are_noticed(load_through: Load, arguments: str) -> None:
    measured = load_through(arguments, every(50, lambda _: b""))
    assert not measured["good"]
    assert measured["faults"]["lost"] == measured["expected"] - measured["delivered"] > 0


@pytest.mark.parametrize("arguments", [CHAT, GROUPCHAT])
def test_doubled_messages_are_noticed(load_through: Load, arguments: str) -> None:
    measured = load_through(arguments, every(50, lambda message: message * 2))
    assert not measured["good"]
    assert list(measured["faults"]) == ["unexpected"]
    assert measured["delivered"] == measured["expected"]


def test_a_bounced_message_is_noticed(load_through: Load) -> None:
    measured = load_through(
        CHAT, every(50, lambda message: message.replace(b"'chat'", b"'error'").replace(b'"chat"', b'"error"'))
    )
    assert not measured["good"]
    assert measured["faults"]["bounced"] > 0


def test_a_lost_connection_is_noticed(load_through: Load) -> None:
    def change(count: int, message: bytes) -> bytes:
        if count == 100:
            raise BrokenLinkError
        return message

    measured = load_through(CHAT, change)
    assert not measured["good"]
    assert "dropped" in measured["faults"]


def test_an_account_that_does_not_exist_is_noticed(load: Load) -> None:
    measured = load(f"login --clients 2 --first {CLIENTS}")
    assert not measured["good"]
    assert list(measured["faults"]) == ["no login"]


def test_a_machine_without_a_compiler_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(BenchError, match=r"C compiler.*apt-get install gcc"):
        compile_generator(tmp_path)


def test_a_machine_without_openssl_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/bin/sh\necho 'fatal error: openssl/ssl.h: No such file or directory' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with pytest.raises(BenchError, match=r"headers of OpenSSL 3.*libssl-dev"):
        compile_generator(tmp_path)
