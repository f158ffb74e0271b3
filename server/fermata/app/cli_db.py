"""`fermata db …`: which tables the database has, bringing them up to date by hand, looking for damage."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..storage import backup, maintenance
from ..storage.errors import StorageError
from .check_places import sqlite_file
from .cli_command import EXIT_TROUBLE, Context
from .config import Config
from .errors import CommandError


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `db` and what follows it."""
    db = commands.add_parser("db", help="the database: its tables, its soundness", parents=[global_options])
    actions = db.add_subparsers(required=True, metavar="ACTION")
    for name, run, text in (
        ("status", _status, "say which migrations the database has, and which this version wants"),
        ("upgrade", _upgrade, "run the migrations that it lacks, as the next start of the server would"),
        ("check", _check, "look for damage in it, also while the server runs"),
    ):
        parser = actions.add_parser(name, help=text, description=text, parents=[global_options])
        parser.set_defaults(run=run)


def _status(_: argparse.Namespace, context: Context) -> int:
    with _in_words(context.config()) as url:
        state = maintenance.state(url)
    value = {
        "revision": state.revision,
        "wanted": state.wanted,
        "missing": [revision for revision, _ in state.missing],
    }
    lines = [f"the tables are at {state.revision or 'nothing'}, this version works with {state.wanted}"]
    if state.is_newer:
        lines = [f"a newer version has made the tables: they are at {state.revision}, known here is {state.wanted}"]
    elif not state.missing:
        lines = [f"the tables are those of this version ({state.revision})"]
    steps = [f"    {revision}  {text}" for revision, text in state.missing]
    context.output.line(value, "\n".join(lines + steps))
    return EXIT_TROUBLE if state.is_newer else 0


def _upgrade(_: argparse.Namespace, context: Context) -> int:
    with _in_words(context.config()) as url:
        before = maintenance.upgrade(url)
    done = [revision for revision, _ in before.missing]
    text = f"the tables are at {before.wanted} now" if done else f"the tables were at {before.wanted} already"
    context.output.line({"revision": before.wanted, "done": done}, text)
    return 0


def _check(_: argparse.Namespace, context: Context) -> int:
    config = context.config()
    file = sqlite_file(config)
    with _in_words(config) as url:
        faults = backup.faults(file) if file is not None else []
        state = maintenance.state(url)
    if state.is_newer:
        faults.append(f"a newer version has made the tables ({state.revision}; known here is {state.wanted})")
    context.output.line({"faults": faults}, "\n".join(faults) or "nothing is wrong")
    return EXIT_TROUBLE if faults else 0


@contextmanager
def _in_words(config: Config) -> Iterator[str]:
    """The URL of a database that is there; what goes wrong with it is told to who gave the command."""
    file = sqlite_file(config)
    if file is not None and not file.exists():
        raise CommandError(f"there is no database {file} yet; the first start of the server makes it")
    try:
        yield config.storage.url
    except StorageError as error:
        raise CommandError(str(error)) from error
