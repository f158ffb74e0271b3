"""`python -m bench`: the command line of the benchmark."""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .ejabberd import Ejabberd
from .errors import BenchError
from .fermata import Fermata
from .generator import Measured
from .machine import facts
from .measure import Plan, Timing, Workshop, stamp
from .prosody import Prosody
from .report import print_report, update_page
from .results import Results, add, figure, load, save
from .scenarios import SCENARIOS, Scenario, choose
from .servers import Server

_ROOT: Final = Path(__file__).resolve().parents[1]
_CACHE: Final = _ROOT / ".cache" / "bench"
_PAGE: Final = _ROOT / "docs" / "performance.md"
_SERVERS: Final[list[Server]] = [Fermata(), Prosody(False), Prosody(True), Ejabberd()]
_TITLES: Final = {server.name: server.title for server in _SERVERS}
_COLUMNS: Final = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)
_INTERRUPTED: Final = 130
_FILE_WIDTH: Final = 140  # of what goes to no terminal


def main(argv: Sequence[str] | None = None) -> int:
    """Runs it: 0 if every measurement counts, 1 if not, whatever the figures are."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the servers are stopped on the way out
    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    try:
        if arguments.list:
            for scenario in SCENARIOS:
                print(f"{scenario.key:18} {scenario.title}")
            return 0
        results = load(arguments.report) if arguments.report else _measure(arguments, console)
        print_report(console, results, _TITLES)
        if arguments.docs:
            update_page(_PAGE, results, _TITLES)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 1 if results.failures() else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=sys.modules[__package__].__doc__)
    parser.add_argument("--quick", action="store_true", help="the main scenarios once, two seconds each: some minutes")
    parser.add_argument(
        "--only", metavar="PATTERN", default="", help="scenarios whose key matches, e.g. 'chat-*,join-500'"
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    names = ",".join(_TITLES)
    parser.add_argument("--servers", metavar="LIST", default=names, help=f"which, in this order (default: {names})")
    parser.add_argument("--reps", metavar="N", type=int, help="measure everything N times (default: 3)")
    parser.add_argument("--seconds", metavar="T", type=float, help="each timed scenario (default: 5)")
    parser.add_argument("--docs", action="store_true", help="write the results into docs/performance.md and .svg")
    parser.add_argument("--report", metavar="FILE", type=Path, nargs="+", help="measure nothing: show earlier results")
    return parser


def _chosen_servers(names: str) -> list[Server]:
    known = {server.name: server for server in _SERVERS}
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        raise BenchError(f"no server is called {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names.split(","))]


def _timing(arguments: argparse.Namespace) -> Timing:
    quick = arguments.quick
    return Timing(arguments.seconds or (2 if quick else 5), 1 if quick else 2, arguments.reps or (1 if quick else 3))


def _measure(arguments: argparse.Namespace, console: Console) -> Results:
    scenarios = choose(arguments.only, arguments.quick)
    if not scenarios:
        raise BenchError(f"no scenario matches {arguments.only}; --list names them all")
    plan = Plan(_chosen_servers(arguments.servers), scenarios, _timing(arguments))
    print(f"{plan.measurements} measurements, about {plan.expected_seconds() / 60:.0f} minutes")
    output = _CACHE / "results" / time.strftime("%Y%m%d-%H%M%S.jsonl")
    work = _CACHE / f"work-{os.getpid()}"
    try:
        results = _run(plan, work, output, console)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"\nresults: {output}\n")
    return results


def _run(plan: Plan, work: Path, output: Path, console: Console) -> Results:
    results = Results({**facts(plan.servers), "seconds": plan.timing.seconds}, [])
    workshop = Workshop(work, plan.timing)
    save(output, results.facts)
    with Progress(*_COLUMNS, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=plan.measurements)
        for server in plan.servers if plan.accounts else []:
            progress.update(bar, description=f"making {plan.accounts} accounts: {server.title}")
            workshop.prepare(server, plan.accounts)
        for repetition, scenario, server in plan.rounds():
            progress.update(bar, description=f"{scenario.title}: {server.title}")
            measured = stamp(workshop.measure(server, scenario), repetition, scenario, server)
            add(output, measured)
            results.measurements.append(measured)
            progress.console.print(_line(measured, scenario, server))
            progress.advance(bar)
    return results


def _line(measured: Measured, scenario: Scenario, server: Server) -> str:
    if not measured["good"]:
        return f"{scenario.key:16} {server.title:18} FAILED  {measured.get('first_fault', '')}"
    unit = scenario.unit
    others = f"others {measured['others_cpu_percent']:.0f} %"
    return f"{scenario.key:16} {server.title:18} {figure(measured[unit.field]):>7} {unit.label:12} {others}"


if __name__ == "__main__":
    sys.exit(main())
