"""Stand-ins in their first moments; a file that begins elsewhere has fixtures of its own."""

import pytest

from kit.standins import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def inside() -> Stage:
    """The phone is in, by itself, with Ben; nothing of that is left."""
    stage = Stage()
    stage.enters()
    stage.lets_in("Ben")
    stage.after(10)
    stage.clear()
    return stage
