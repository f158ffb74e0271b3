"""The servers that Fermata is measured with run from Debian's packages, with the accounts that the benchmark makes."""

import dataclasses
import json
from pathlib import Path

import pytest
from bench.credentials import make_certificate
from bench.ejabberd import Ejabberd
from bench.errors import BenchError
from bench.generator import Generator, compile_generator
from bench.measure import Timing, Workshop
from bench.prosody import Prosody
from bench.scenarios import SCENARIOS
from bench.servers import Place, Running, Server, free_port, fresh_directory

pytestmark = pytest.mark.interop

CLIENTS = 20


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return compile_generator(tmp_path_factory.mktemp("generator"))
    except BenchError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("server", [Prosody(False), Prosody(True), Ejabberd()], ids=lambda server: server.name)
def test_a_peer_can_be_measured(server: Server, program: Path, tmp_path: Path) -> None:
    try:
        server.version()
    except BenchError as reason:
        pytest.skip(str(reason))
    certificate = make_certificate(tmp_path)
    directory = tmp_path / "server"
    directory.mkdir()
    server.make_accounts(directory, CLIENTS, certificate)
    generator = Generator(program, tmp_path / "keys")
    with Running(server, Place(directory, free_port(), certificate, True)) as running:
        for load in (
            "login --tls --plain",
            "chat --seconds 1 --warmup 0 --tls --stream-management",
            "groupchat --seconds 1 --warmup 0 --rooms 2 --senders 2",
            "join",
        ):
            words = [*load.split(), "--clients", str(CLIENTS)]
            measured = generator.run(words, port=running.place.port, server_pid=running.pid)
            assert measured["good"], json.dumps(measured)
            assert measured["cpu_us"] > 0
            assert measured["rss_kb"] > 1000


@pytest.mark.parametrize("server", [Prosody(False), Ejabberd()], ids=lambda server: server.name)
def test_two_of_a_peer_can_be_measured(server: Server, tmp_path: Path) -> None:
    try:
        server.version()
        workshop = Workshop(fresh_directory(tmp_path / "cache" / "work"), Timing(1, 0, 1))
    except BenchError as reason:
        pytest.skip(str(reason))
    (scenario,) = (each for each in SCENARIOS if each.key == "s2s-group-1x200")
    measured = workshop.measure(server, dataclasses.replace(scenario, clients=CLIENTS))
    assert measured["good"], json.dumps(measured)
    assert measured["cpu_us"] > 0
