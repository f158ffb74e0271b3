"""`/metrics` and `/health`: of a real server over HTTP, and of its parts for what a real one cannot be brought to."""

import json
import re
import resource
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from fermata.app.exposition import by, counter, exposition, gauge, histogram
from fermata.app.health import STALL_SECONDS, Health
from kit import ns
from kit.server import START, Server, free_port
from kit.wire import Client

# One line of the format, as strictly as Prometheus reads it.
SAMPLE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"\\]*"\})? ([0-9.e+-]+|\+Inf)')


class Asked:
    """An HTTP server and what it answers."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> tuple[int, str, str]:
        """The status, the type and the text."""
        try:
            answer = urllib.request.urlopen(self._url + path, timeout=START)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers["content-type"], answer.read().decode()

    def metrics(self) -> dict[str, float]:
        """Each sample by its name with its labels."""
        status, kind, text = self.get("/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        samples = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                sample = SAMPLE.fullmatch(line)
                assert sample is not None, line
                samples[sample[1] + (sample[2] or "")] = float(sample[3])
        return samples


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[tuple[Server, Asked]]:
    port = free_port()
    server = Server(tmp_path, {"http": {"listen": [f"tcp:{port}:interface=127.0.0.1"]}})
    server.start()
    yield server, Asked(port)
    server.cut_all()
    server.stop()
    assert not server.failures(), server.failures()


def test_the_figures_follow_what_happens_and_health_follows_the_disk(launched: tuple[Server, Asked]) -> None:
    server, http = launched
    before = http.metrics()
    assert before["fermata_sessions"] == before["fermata_connections"] == 0
    assert http.get("/health") == (200, "application/json", '{"status": "ok"}\n')
    password = server.wait_for_log("password  ").split()[-1]
    client = Client(server.link())
    client.open()
    client.authenticate("me", password)
    client.bind()
    client.send(f"<presence to='tea@conference.localhost/G'><x xmlns='{ns.MUC}'/></presence>")
    client.sync()
    client.send("<message to='me@localhost' type='chat'><body>kept</body></message>")
    client.sync()
    wrong = Client(server.link())
    wrong.open()
    with pytest.raises(AssertionError):
        wrong.authenticate("me", "a guess")
    wrong.cut()
    now = http.metrics()
    grown = {name: now[name] - before.get(name, 0) for name in now}
    assert grown["fermata_sessions"] == grown["fermata_rooms"] == grown["fermata_occupants"] == 1
    received = [grown[f'fermata_stanzas_received_total{{kind="{kind}"}}'] for kind in ("message", "presence", "iq")]
    assert received == [1, 1, 2]
    assert grown["fermata_failed_logins_total"] == 1
    assert grown["fermata_writes_total"] >= 4
    assert grown["fermata_commit_steps_count"] >= 2
    assert now['fermata_commit_steps_bucket{le="+Inf"}'] == now["fermata_commit_steps_count"]
    assert now["process_cpu_seconds_total"] > before["process_cpu_seconds_total"]
    assert now['fermata_certificate_expiry_seconds{domain="localhost"}'] > now["process_start_time_seconds"]
    _fill_the_disk(server)
    client.send("<message to='me@localhost' type='chat' id='m'><body>" + "x" * 50_000 + "</body></message>")
    client.expect_error("message", "internal-server-error", "wait", id="m")
    status, _, report = http.get("/health")
    assert (status, json.loads(report)["status"]) == (503, "trouble")
    now = http.metrics()
    assert (now["fermata_healthy"], now["fermata_lost_steps_total"]) == (0, 1)
    _empty_the_disk(server)
    client.send("<message to='me@localhost' type='chat' id='n'><body>better</body></message>")
    client.sync()
    assert http.get("/health")[0] == 200
    client.cut()


def _fill_the_disk(server: Server) -> None:
    log = Path(server.directory / "var" / "fermata.db-wal")
    _limit_files(server, log.stat().st_size + 1000)


def _empty_the_disk(server: Server) -> None:
    _limit_files(server, resource.RLIM_INFINITY)


def _limit_files(server: Server, size: int) -> None:
    assert server.process is not None
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_a_port_that_is_taken_ends_the_start_with_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(tmp_path, {"http": {"listen": [f"tcp:{port}:interface=127.0.0.1"]}})
        server.launch()
        assert not server.is_running(START)
        said = server.wait_for_log("Fermata cannot start: ")
        assert f"tcp:{port}:interface=127.0.0.1: Address already in use" in said


class Writer:
    """A writer's progress, as the test wants it."""

    durable = ticket = 0
    is_failing = False


def test_a_commit_that_takes_long_is_trouble_until_it_is_done() -> None:
    clock, writer = Clock(), Writer()
    health = Health(writer, clock)
    health.start()
    clock.pump([1] * 100)
    assert health.trouble() == ""
    writer.ticket = 1
    clock.advance(STALL_SECONDS - 1)
    assert health.trouble() == ""
    clock.pump([1] * 2)
    assert health.trouble() == "nothing was committed for 11 seconds"
    writer.durable = 1
    assert health.trouble() == ""
    writer.ticket = 2  # the next one takes its time from now on, not from when it was given
    clock.advance(STALL_SECONDS - 1)
    assert health.trouble() == ""
    writer.durable, writer.is_failing = 2, True
    assert health.trouble() == "the last commit failed; the log says why"


def test_metrics_are_written_as_prometheus_reads_them() -> None:
    metrics = [
        counter("a_total", "Counts.\nBack\\slash.", 3),
        gauge("b", "Is.", 1.5),
        by("kind", "gauge", "c", "By.", {'x"y\\z\n': 0}),
        histogram("d", "How many.", [(1, 2), (3, 0), (float("inf"), 1)], 9),
    ]
    assert exposition(metrics) == "\n".join(
        [
            "# HELP a_total Counts.\\nBack\\\\slash.",
            "# TYPE a_total counter",
            "a_total 3",
            "# HELP b Is.",
            "# TYPE b gauge",
            "b 1.5",
            "# HELP c By.",
            "# TYPE c gauge",
            'c{kind="x\\"y\\\\z\\n"} 0',
            "# HELP d How many.",
            "# TYPE d histogram",
            'd_bucket{le="1"} 2',
            'd_bucket{le="3"} 2',
            'd_bucket{le="+Inf"} 3',
            "d_sum 9",
            "d_count 3",
            "",
        ]
    )
