"""`fermata check`: what is wrong with the configuration and its surroundings, before anybody else finds out."""

import argparse
from typing import Any

from .check import check
from .cli_command import EXIT_TROUBLE, Context
from .finding import Severity


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `check`."""
    parser = commands.add_parser("check", help="look for mistakes before starting the server", parents=[global_options])
    parser.set_defaults(run=_check)


def _check(_: argparse.Namespace, context: Context) -> int:
    findings = check(context.config_path)
    is_fine = all(finding.severity is Severity.NOTE for finding in findings)
    text = "\n".join([*map(str, findings), *["nothing is wrong"] * is_fine])
    context.output.line([finding._asdict() for finding in findings], text)
    return EXIT_TROUBLE if any(finding.severity is Severity.ERROR for finding in findings) else 0
