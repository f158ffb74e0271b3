"""What the figures say: medians of the good runs, ratios to the better peer, and whether the targets were met."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import BenchError
from .generator import Measured
from .machine import Facts
from .scenarios import PRICES, SCENARIOS, Price, Scenario, Unit

OURS: Final = "fermata"
# Head, field of the generator's JSON, factor.
_DETAILS: Final = (
    ("per s", "per_second", 1),
    ("p50 ms", "p50_ms", 1),
    ("p95 ms", "p95_ms", 1),
    ("p99 ms", "p99_ms", 1),
    ("memory MB", "rss_kb", 1 / 1024),
    ("CPU %", "server_cpu_percent", 1),
    ("generator CPU %", "generator_cpu_percent", 1),
)
_OF_TRAFFIC: Final = ("per_second", "p50_ms", "p95_ms", "p99_ms")


@dataclass(frozen=True)
class Row:
    """One scenario: what each server took, and how ours compares with the better of the others."""

    scenario: Scenario
    figures: dict[str, float]
    ratio: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether the target was reached; None where there is none, or nothing to compare with."""
        if self.ratio is None or self.scenario.target is None:
            return None
        return self.ratio <= self.scenario.target


@dataclass(frozen=True)
class Results:
    """The measurements of one benchmark and what they were made on. `servers` are names, in the order of the tables."""

    facts: Facts
    measurements: list[Measured]

    @property
    def servers(self) -> list[str]:
        """Who was measured."""
        return list(self.facts["versions"])

    def of(self, server: str, key: str) -> list[Measured]:
        """All measurements of a server in a scenario."""
        return [each for each in self.measurements if each["server"] == server and each["key"] == key]

    def median(self, server: str, key: str, field: str) -> float | None:
        """Of the good runs; None if there is none."""
        values = [each[field] for each in self.of(server, key) if each["good"]]
        return statistics.median(values) if values else None

    def rows(self) -> list[Row]:
        """One for each scenario that was measured."""
        measured = {each["key"] for each in self.measurements}
        return [self._row(scenario) for scenario in SCENARIOS if scenario.key in measured]

    def _row(self, scenario: Scenario) -> Row:
        medians = {server: self.median(server, scenario.key, scenario.unit.field) for server in self.servers}
        figures = {server: figure for server, figure in medians.items() if figure is not None}
        if scenario.baseline:
            compared = [self.median(OURS, scenario.baseline, scenario.unit.field)]
        else:
            compared = [figure for server, figure in figures.items() if server != OURS]
        known = [figure for figure in compared if figure]
        return Row(scenario, figures, figures[OURS] / min(known) if known and OURS in figures else None)

    def prices(self) -> list[tuple[Price, float, float]]:
        """What Fermata took with and without what it keeps, for each price of which both were measured."""
        field = {scenario.key: scenario.unit.field for scenario in SCENARIOS}
        found = []
        for price in PRICES:
            with_, without = (self.median(OURS, key, field[key]) for key in (price.with_, price.without))
            if with_ and without:
                found.append((price, with_, without))
        return found

    def failures(self) -> list[str]:
        """A line for each measurement that does not count, with the first thing that went wrong in it."""
        return [
            f"{each['key']}, {each['server']}: {_counts(each)}{each.get('first_fault', 'incomplete').splitlines()[0]}"
            for each in self.measurements
            if not each["good"]
        ]

    def disturbance(self) -> float:
        """How much of one CPU other programs used meanwhile, in percent: the median."""
        values = [each["others_cpu_percent"] for each in self.measurements if "others_cpu_percent" in each]
        return statistics.median(values) if values else 0.0


def _counts(measured: Measured) -> str:
    return "".join(f"{count} {kind}; " for kind, count in measured["faults"].items())


def figure(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def details(results: Results) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the second table: everything else that was measured, for each scenario and server."""
    lines = []
    for row in results.rows():
        for server in results.servers:
            line = [row.scenario.key, server]
            for _, field, factor in _DETAILS:
                value = results.median(server, row.scenario.key, field)
                is_idle = row.scenario.unit is Unit.SESSION and field in _OF_TRAFFIC
                line.append(figure(None if value is None or is_idle else value * factor))
            lines.append(line)
    return ["scenario", "server", *(head for head, _, _ in _DETAILS)], lines


def save(path: Path, facts: Facts, measurements: Iterable[Measured] = ()) -> None:
    """Begin a file of results: a line of JSON for the machine, one for each measurement."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in [facts, *measurements]), encoding="utf-8")


def add(path: Path, measured: Measured) -> None:
    """Add a line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(measured) + "\n")


def load(paths: Sequence[Path]) -> Results:
    """The results of earlier runs, taken together; the machine is that of the last. Raises BenchError."""
    facts: Facts = {}
    measurements: list[Measured] = []
    for path in paths:
        try:
            first, *others = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise BenchError(f"{path} holds no results: {error}") from error
        facts = {**first, "versions": {**facts.get("versions", {}), **first["versions"]}}
        measurements += others
    return Results(facts, measurements)
