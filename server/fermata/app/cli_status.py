"""`fermata status`: whether the server runs, and how it is doing."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from .cli_command import EXIT_DOWN, Context
from .control import ControlClient, ServerDownError


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `status`."""
    parser = commands.add_parser("status", help="whether the server runs, and its figures", parents=[global_options])
    parser.set_defaults(run=_status)


def _status(_: argparse.Namespace, context: Context) -> int:
    data_dir = context.config().server.data_dir
    try:
        with ControlClient(data_dir) as client:
            status = client.call("status")
    except ServerDownError:
        text = f"Fermata is not running (nobody answers in {data_dir.resolve()})"
        context.output.line({"running": False}, text)
        return EXIT_DOWN
    context.output.rows({"running": True, **status}, ["Figure", "Value"], _figures(status))
    return 0


def _figures(status: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every figure with its name for people; what is nested follows the name that it is nested in."""
    for key, value in status.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _figures(value, f"{name} ")
        elif key.endswith("_seconds"):
            yield name.removesuffix(" seconds"), _duration(float(value))
        elif isinstance(value, list):
            yield name, ", ".join(map(str, value))
        else:
            yield name, str(value)


def _duration(seconds: float) -> str:
    """Two units of it at most: `3 d 4 h`; below a minute with a fraction."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    whole = int(seconds)
    parts: list[str] = []
    for unit, length in units:
        count, whole = divmod(whole, length)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
