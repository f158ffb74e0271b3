"""Writes the commented default configuration: `python -m fermata.app.config_text > etc/fermata.toml`."""

import dataclasses
import inspect
import json
import sys
import textwrap
from typing import Final

from .config_setting import Field, is_table
from .config_tables import Config, table_class

_WIDTH: Final = 96
_INTRODUCTION: Final = """\
# Fermata's configuration.
#
# Every key is here with its default, commented out: an empty file is a complete configuration,
# of a server for this machine alone. A key that does not exist is an error, never ignored;
# `fermata check` tells what is wrong, and with which line.
"""


def default_text() -> str:
    """The whole file."""
    return "\n\n".join([_INTRODUCTION, *map(_table, dataclasses.fields(Config))])


def _table(table: Field) -> str:
    cls = table_class(table)
    fields = sorted(dataclasses.fields(cls), key=is_table)  # what follows a subtable would belong to it
    blocks = [_subtable(table.name, field) if is_table(field) else _key(field) for field in fields]
    return "\n".join([f"[{table.name}]\n{_comment(inspect.cleandoc(cls.__doc__))}", *blocks])


def _key(field: Field) -> str:
    comment, default, example = (field.metadata[part] for part in ("doc", "default", "example"))
    text = f"{_comment(comment)}#{field.name} = {json.dumps(default)}\n"  # as JSON, our defaults are valid TOML
    return text + (f"#{field.name} = {example}\n" if example else "")


def _subtable(table: str, field: Field) -> str:
    return f"[{table}.{field.name}]\n{_comment(field.metadata['doc'])}#{field.metadata['example']}\n"


def _comment(text: str) -> str:
    paragraphs = text.split("\n\n")
    return "#\n".join(textwrap.indent(textwrap.fill(p, _WIDTH), "# ") + "\n" for p in paragraphs)


if __name__ == "__main__":
    sys.stdout.write(default_text())
