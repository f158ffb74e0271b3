"""`kill -9` at any instant: what was told is there, and so is everything before it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from fermata.storage import crash_points, tables
from kit import crash_child
from kit.databases import Opened, Place

TESTS = Path(__file__).resolve().parents[1]


def run_until_killed(place: Place, crash_at: str = "", lines: int = 0) -> list[int]:
    """What the child told before it was killed: by itself at a crash point, or by us after so many lines."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS), crash_points.VARIABLE: crash_at}
    command = [sys.executable, "-m", "kit.crash_child", *place]
    told: list[int] = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                told.append(int(line))
                if len(told) == lines:
                    child.kill()
        except BaseException:
            child.kill()
            raise
    assert child.returncode == -signal.SIGKILL
    return told


def check(opened: Opened, told: list[int]) -> None:
    bodies = opened.rows(select(tables.archive.c.xml).order_by(tables.archive.c.seq))
    kept = [int(xml.removeprefix("<body>").removesuffix("</body>")) for (xml,) in bodies]
    assert kept == list(range(1, len(kept) + 1))
    assert told == kept[: len(told)]
    handled = opened.turns.run(opened.database.handled.handled(crash_child.SESSION, crash_child.OWNER))
    assert (handled or 0) == len(kept)


@pytest.mark.parametrize("crash_at", ["in-batch:7", "before-commit:5", "after-commit:5", "before-release:5"])
def test_a_crash_at_a_point_loses_nothing_that_was_told(
    place: Place, open_at: Callable[[Place], Opened], crash_at: str
) -> None:
    told = run_until_killed(place, crash_at)
    check(open_at(place), told)


@pytest.mark.parametrize("lines", [1, 100, 1000])
def test_a_crash_from_outside_loses_nothing_that_was_told(
    place: Place, open_at: Callable[[Place], Opened], lines: int
) -> None:
    told = run_until_killed(place, lines=lines)
    assert len(told) >= lines
    check(open_at(place), told)


def test_nothing_is_called_where_no_crash_is_wanted() -> None:
    assert crash_points.chosen({}) is None
