"""The measurement of rooms that come back at a start, on a small scale; and what may not grow with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.rebuilding import Figures, fill, measure


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    file = tmp_path_factory.mktemp("rooms") / "rooms.db"
    fill(file, rooms=200, occupants=10, messages=5)
    return measure(file, 200, 2_000)


def test_everybody_is_in_long_before_a_start_would_be_noticed(figures: Figures) -> None:
    """10,000 rooms with 100,000 occupants may take 10 s and 600 MB: this is a fiftieth of it, on a busy machine."""
    assert figures.seconds < 1.0
    assert figures.megabytes - figures.idle_megabytes < 12.0


def test_rooms_are_in_memory_once_they_are_used(figures: Figures) -> None:
    assert figures.all_seconds > 0.0
    assert figures.all_megabytes > figures.megabytes


def test_the_figures_of_a_start_are_printed_for_those_who_ask_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "rooms.db"
    fill(file, rooms=1, occupants=1, messages=0)
    command = [sys.executable, "-m", "bench.rebuilding", "--start", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) | {"rooms", "occupants"} == set(Figures._fields)
