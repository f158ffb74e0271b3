"""`fermata log`: how much the running server logs."""

import argparse
from typing import Any

from .cli_command import Context
from .config_tables import LogThreshold
from .control import ControlClient


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `log`."""
    parser = commands.add_parser("log", help="how much the running server logs", parents=[global_options])
    text = "from now on, log this and what is worse: %(choices)s; without it, only say what the level is"
    levels = [level.value for level in LogThreshold]
    parser.add_argument("level", metavar="LEVEL", nargs="?", choices=levels, help=text)
    parser.set_defaults(run=_log)


def _log(arguments: argparse.Namespace, context: Context) -> int:
    with ControlClient(context.config().server.data_dir) as client:
        level = client.call("log", level=arguments.level)
    until = "" if arguments.level is None else "; the configuration counts again from the next start on"
    context.output.line({"level": level}, f"the server logs from {level!r} upwards{until}")
    return 0
