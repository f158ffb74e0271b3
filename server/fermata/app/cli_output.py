"""What the command line prints: JSON if asked for, tables at a terminal, plain columns elsewhere."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, track
from rich.table import Column, Table

T = TypeVar("T")


class Output:
    """One command's answer. A command gives each result twice: as JSON would have it, and as people would."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False, markup=False, emoji=False)

    def line(self, value: object, text: str) -> None:
        """A sentence."""
        if self._as_json:
            self._json(value)
        else:
            print(text)

    def rows(self, value: object, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table; where nobody looks, its rows with tabs between the columns."""
        if self._as_json:
            self._json(value)
        elif self._console.is_terminal:
            # What has no room is folded: half an address is none.
            headed = [Column(column, overflow="fold") for column in columns]
            table = Table(*headed, box=None, pad_edge=False, header_style="bold")
            for row in rows:
                table.add_row(*row)
            self._console.print(table)
        else:
            for row in rows:
                print("\t".join(row))

    def trouble(self, text: str) -> None:
        """Why it could not be done."""
        if self._as_json:
            self._json({"error": text})
        else:
            print(f"fermata: {text}", file=sys.stderr)

    def progress(self, items: Sequence[T], doing: str) -> Iterator[T]:
        """The same items, with a bar on a terminal that grows as they are taken."""
        console = Console(stderr=True)
        yield from track(items, doing, console=console, transient=True, disable=not console.is_terminal)

    @contextmanager
    def bar(self, doing: str) -> Iterator[Callable[[int, int], None]]:
        """A bar on a terminal, while the block runs; what it gives is told how much is done, of how much."""
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(doing)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def _json(self, value: object) -> None:
        print(json.dumps(value, ensure_ascii=False, indent=2))
