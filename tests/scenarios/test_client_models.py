"""What people see whose client is one that they know, when servers and connections break (docs/staying-joined.md).

Two minutes after everything is whole again, the one who is tried has to be in and to have got every message, and nobody
may have seen him leave. `make chaos` tries all clients; here are those that differ most.
"""

import os

import pytest

from kit import client_models as models
from kit.client_models import Habits
from kit.staying import FOR_ALL, FOR_REMOTE, Event, tried

CLIENTS = models.ALL if os.environ.get("FERMATA_CHAOS") else (models.CONVERSATIONS, models.SIMPLE)


def stays(habits: Habits, event: Event, is_remote: bool) -> None:
    outcome = tried(habits, event, is_remote)
    assert outcome._replace(again=0, entered=0) == (True, False, 0, 0, 0)


@pytest.mark.parametrize("habits", CLIENTS, ids=lambda habits: habits.name)
@pytest.mark.parametrize("event", FOR_REMOTE, ids=lambda event: event.__name__)
def test_who_is_from_another_server_stays(habits: Habits, event: Event) -> None:
    stays(habits, event, is_remote=True)


@pytest.mark.parametrize("habits", CLIENTS, ids=lambda habits: habits.name)
@pytest.mark.parametrize("event", FOR_ALL, ids=lambda event: event.__name__)
def test_who_is_at_home_where_the_room_is_stays(habits: Habits, event: Event) -> None:
    stays(habits, event, is_remote=False)
