"""The `fermata` command: one file for each word that may follow it."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from . import (
    cli_account,
    cli_announce,
    cli_backup,
    cli_check,
    cli_db,
    cli_invite,
    cli_log,
    cli_rooms,
    cli_s2s,
    cli_sessions,
    cli_status,
    cli_users,
)
from .cli_command import EXIT_DOWN, EXIT_TROUBLE, Context, OpenStored
from .cli_output import Output
from .config import ConfigError
from .control import ServerDownError
from .errors import CommandError
from .stored_server import stored_server

_INTERRUPTED = 130
_NOT_READ = 141  # as a shell tells the end by SIGPIPE


def main(argv: Sequence[str] | None = None, stored: OpenStored = stored_server) -> int:
    """Runs one command and returns its exit code: 0 done, 1 not done, 2 not understood, 3 the server is down."""
    try:
        try:
            return _run(argv, stored)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as in `fermata user list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NOT_READ


def _run(argv: Sequence[str] | None, stored: OpenStored) -> int:
    arguments = _parser().parse_args(argv)
    output = Output(arguments.json)
    try:
        return int(arguments.run(arguments, Context(arguments.config, output, stored)))
    except ServerDownError as error:
        output.trouble(str(error))
        return EXIT_DOWN
    except (CommandError, ConfigError) as error:
        output.trouble(str(error))
        return EXIT_TROUBLE
    except KeyboardInterrupt:
        return _INTERRUPTED


_WORDS = (
    *(cli_users, cli_account, cli_sessions, cli_rooms, cli_announce, cli_invite, cli_check, cli_status, cli_log),
    *(cli_s2s, cli_backup, cli_db),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fermata", description="Looks after a Fermata server.")
    parser.add_argument("--version", action="version", version=f"Fermata {__version__}")
    _add_global_options(parser, Path("etc/fermata.toml"), False)
    global_options = argparse.ArgumentParser(add_help=False)
    # Given after the command, they count as well; left out there, they must not undo what stands before it.
    _add_global_options(global_options, argparse.SUPPRESS, argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for word in _WORDS:
        word.add_parser(commands, global_options)
    return parser


def _add_global_options(parser: argparse.ArgumentParser, config: object, as_json: object) -> None:
    parser.add_argument("--config", metavar="FILE", type=Path, default=config, help="default: etc/fermata.toml")
    parser.add_argument("--json", action="store_true", default=as_json, help="print JSON")
