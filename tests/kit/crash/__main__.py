"""`make crash`: many rounds, with their progress on the terminal and a table at the end.

Columns `archive`, `power` and `spool` are of one server; in `rooms` and `guests` two federate, and the one with the
rooms or the one with half of those in them dies.

Faults are told with the round in which they were found. The seed that is printed brings the same rounds again; their
timing is never quite the same, so a rare fault may take several attempts.
"""

import argparse
import shutil
import sys
from collections import Counter
from pathlib import Path
from random import SystemRandom
from tempfile import mkdtemp

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

from . import inspection, survey
from .campaign import Campaign, Outcome
from .neighbourhood import Neighbourhood
from .neighbours import GUESTS, HOST

# Of the rounds that are asked for, if it is not the only one.
_SHARE = {"archive": 1.0, "power": 0.25, "spool": 0.25, "rooms": 1.0, "guests": 0.25}
_VICTIMS = {"rooms": HOST, "guests": GUESTS}  # of two servers that federate
_RULES = tuple(dict.fromkeys((*inspection.RULES, *survey.RULES)))
_MOST_FAULTS = 20  # of one round, in print


def main() -> int:
    """Runs what the arguments ask for; returns 1 if anything was wrong."""
    arguments = _arguments()
    console, seed = Console(), arguments.seed
    console.print(f"seed {seed}; again with: make crash ARGS='--seed {seed}'", highlight=False)
    outcomes: dict[str, list[Outcome]] = {}
    columns = [TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}")]
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        for name in arguments.only or _SHARE:
            rounds = arguments.rounds if arguments.only else max(1, round(arguments.rounds * _SHARE[name]))
            outcomes[name] = _run(name, seed, rounds, progress)
    console.print(_table(outcomes))
    return int(any(outcome.faults for each in outcomes.values() for outcome in each))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="of `archive` and `rooms`; the others get a quarter")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--only", action="append", choices=list(_SHARE), help="one variation, with all rounds")
    return parser.parse_args()


def _campaign(directory: Path, seed: int, name: str) -> Campaign | Neighbourhood:
    return Neighbourhood(directory, seed, _VICTIMS[name]) if name in _VICTIMS else Campaign(directory, seed, name)


def _run(name: str, seed: int, rounds: int, progress: Progress) -> list[Outcome]:
    """All rounds of one variation, in a directory that stays if there was a fault."""
    directory = Path(mkdtemp(prefix=f"fermata-crash-{name}-"))
    task = progress.add_task(name, total=rounds + 1, told="")
    campaign = _campaign(directory, seed, name)
    try:
        campaign.prepare()
        outcomes: list[Outcome] = []
        while len(outcomes) <= rounds:
            outcomes.append(campaign.round() if len(outcomes) < rounds else campaign.finish())
            _tell(name, outcomes[-1], progress)
            faults = sum(len(outcome.faults) for outcome in outcomes)
            progress.update(task, advance=1, told=f"[red]{faults} faults[/]" if faults else "no fault")
    finally:
        campaign.close()
    if faults:
        progress.console.print(f"what is left of {name}: {directory}")
    else:
        shutil.rmtree(directory)
    return outcomes


def _tell(name: str, outcome: Outcome, progress: Progress) -> None:
    where = f"[red]{name}, round {outcome.number} ({outcome.died})[/]"
    for fault in outcome.faults[:_MOST_FAULTS]:
        progress.console.print(f"{where}: {fault.rule}: {escape(fault.text)}")
    if len(outcome.faults) > _MOST_FAULTS:
        progress.console.print(f"[red]… and {len(outcome.faults) - _MOST_FAULTS} more[/]")


def _table(outcomes: dict[str, list[Outcome]]) -> Table:
    """A column for each variation: how the server died and what was done, then what was wrong."""
    table = Table("", *(Column(name, justify="right") for name in outcomes))
    columns = [_sums(each) for each in outcomes.values()]
    done = {word for sums in columns for word in sums} - set(_RULES)
    for words in (sorted(done), _RULES):
        for word in words:
            table.add_row(word, *(_number(sums[word], word in _RULES) for sums in columns))
        table.add_section()
    return table


def _sums(outcomes: list[Outcome]) -> Counter[str]:
    sums = Counter(f"died: {outcome.died}" for outcome in outcomes)
    for outcome in outcomes:
        sums.update(outcome.counts)
        sums.update(fault.rule for fault in outcome.faults)
    return sums


def _number(number: int, is_fault: bool) -> str:
    return f"[red]{number:,}[/]" if is_fault and number else f"{number:,}"


if __name__ == "__main__":
    sys.exit(main())
