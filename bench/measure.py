"""One measurement after the other, each with a fresh server and fresh copies of its accounts."""

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from .credentials import DOMAIN, FAR, NEAR, Certificate, make_certificate, rooms_of
from .errors import BenchError
from .federation import hanging_domains, network
from .generator import Generator, Measured, compile_generator
from .scenarios import WARM_UP_LOGINS, Scenario
from .servers import Place, Reach, Running, Server, free_port, fresh_directory


@dataclass(frozen=True)
class Timing:
    """Seconds for each timed scenario, and how often everything is measured."""

    seconds: float
    warm_up: float
    repetitions: int


@dataclass(frozen=True)
class Plan:
    """What is to be measured."""

    servers: Sequence[Server]
    scenarios: Sequence[Scenario]
    timing: Timing

    @property
    def measurements(self) -> int:
        """How many there will be."""
        return sum(1 for _ in self.rounds())

    @property
    def accounts(self) -> int:
        """How many each server needs."""
        return max((scenario.accounts for scenario in self.scenarios if not scenario.is_federated), default=0)

    def expected_seconds(self) -> float:
        """About how long it takes: apart from the timed part, servers start, clients log in, and both come to rest."""
        timed = self.timing.seconds + self.timing.warm_up
        return sum((timed if s.is_timed else 3) + (14 if s.needs_old_accounts else 5) for _, s, _ in self.rounds())

    def rounds(self) -> Iterator[tuple[int, Scenario, Server]]:
        """The order: servers take turns, so that a disturbance from outside hits all of them alike."""
        for repetition in range(self.timing.repetitions):
            for scenario in self.scenarios:
                for server in self.servers if repetition % 2 == 0 else reversed(self.servers):
                    if scenario.only in ("", server.name):
                        yield repetition, scenario, server


class Workshop:
    """A directory with the compiled generator, a certificate, and accounts for each server."""

    def __init__(self, directory: Path, timing: Timing) -> None:
        self._directory, self._timing = directory, timing
        self._templates: dict[tuple[str, str], Path] = {}
        self._program = compile_generator(directory.parent)
        fresh_directory(directory)
        self._certificate: Certificate = make_certificate(directory)

    def prepare(self, server: Server, accounts: int, domain: str = DOMAIN) -> None:
        """Make accounts for a server, unless another has made the same. Raises BenchError."""
        key = server.accounts_of, domain
        if key not in self._templates:
            template = fresh_directory(self._directory / f"accounts-{server.accounts_of}-{domain}")
            server.make_accounts(template, accounts, self._certificate, domain)
            self._templates[key] = template

    def measure(self, server: Server, scenario: Scenario) -> Measured:
        """What the generator measured; if the server did not start or fell, what is to be said about that."""
        if scenario.is_federated:
            return self._measure_two(server, scenario)
        place = self._place(server, scenario)
        running = Running(server, place)
        try:
            with running:
                measured = self._measure(running, scenario, self._generator(server))
        except BenchError as error:
            measured = {"good": False, "faults": {}, "first_fault": str(error)}
        if not measured["good"]:
            measured["last_words"] = running.last_words()
        return measured

    def _place(self, server: Server, scenario: Scenario, domain: str = DOMAIN, reach: Reach | None = None) -> Place:
        directory = fresh_directory(self._directory / f"run-{domain}", self._templates[server.accounts_of, domain])
        place = Place(directory, free_port(), self._certificate, scenario.keeps_archive, domain, reach)
        return replace(place, keeps_journal=scenario.keeps_journal)

    def _generator(self, server: Server) -> Generator:
        return Generator(self._program, self._directory / f"keys-{server.accounts_of}")

    def _measure_two(self, server: Server, scenario: Scenario) -> Measured:
        """Two servers of the same program. The accounts of both are made when they are first needed."""
        with ExitStack() as stack:
            net = stack.enter_context(network(fresh_directory(self._directory / "network")))
            running = []
            for domain in (NEAR, FAR):
                self.prepare(server, scenario.clients + 1, domain)
                running.append(Running(server, self._place(server, scenario, domain, net.reach(domain))))
            try:
                near, far = (stack.enter_context(each) for each in running)
                if scenario.has_hanging_domains:
                    stack.enter_context(hanging_domains(net, near.place, f"u{scenario.clients}"))
                measured = self._run_between(near, far, scenario)
            except (BenchError, OSError) as error:
                measured = {"good": False, "faults": {}, "first_fault": str(error)}
            if not measured["good"]:
                measured["last_words"] = "".join(each.last_words() for each in running)
            return measured

    def _run_between(self, near: Running, far: Running, scenario: Scenario) -> Measured:
        """In a room of the near one are people from the far one; in a chat, half of the people are on each."""
        arguments = f"{scenario.arguments} --clients {scenario.clients}"
        arguments += f" --seconds {self._timing.seconds} --warmup {self._timing.warm_up} --rooms-at {rooms_of(NEAR)}"
        if scenario.arguments.startswith("chat"):
            arguments += f" --domain {NEAR} --far-port {far.place.port} --far-domain {FAR}"
            port = near.place.port
        else:
            arguments += f" --domain {FAR}"
            port = far.place.port
        return self._generator(near.server).run(shlex.split(arguments), port=port, server_pid=near.pid)

    def _measure(self, running: Running, scenario: Scenario, generator: Generator) -> Measured:
        def load(arguments: str, clients: int) -> Measured:
            words = [*shlex.split(arguments), "--clients", str(clients)]
            return generator.run(words, port=running.place.port, server_pid=running.pid)

        if scenario.needs_old_accounts:
            load("login --tls", scenario.accounts)
            running.stop()
            running.start()
        if scenario.arguments.startswith("login"):
            load(f"{scenario.arguments} --first {scenario.clients}", WARM_UP_LOGINS)
        arguments = scenario.arguments
        if scenario.is_timed:
            arguments += f" --seconds {self._timing.seconds} --warmup {self._timing.warm_up}"
        return load(arguments, scenario.clients)


def stamp(measured: Measured, repetition: int, scenario: Scenario, server: Server) -> Measured:
    """The measurement with what it is one of."""
    return {"key": scenario.key, "server": server.name, "repetition": repetition, "at": int(time.time()), **measured}
