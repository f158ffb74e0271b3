"""What people see whose client is one that they know, when servers and connections break (docs/staying-joined.md).

A room on one server; in it somebody from there, whose client watches and talks, and one who is tried, from there or
from another server. Something breaks while one message is said every five seconds. Two minutes after it is whole
again, the one who is tried has to be in and to have got every message, and nobody may have seen him leave.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fermata.services.muc_rebuilding import Rebuilding
from kit import client_models as models
from kit import ns
from kit.client_models import Habits, ModelClient
from kit.federated import FederatedWorld, Universe

A, B = "a.example", "b.example"
ROOM = f"tea@conference.{A}"
TRIES = 120.0  # seconds after which everything has to be as it was


@pytest.fixture
def universe(tmp_path: Path) -> Iterator[Universe]:
    made = Universe(tmp_path)
    yield made
    made.close()


class Scene:
    """The room with its two people."""

    def __init__(self, universe: Universe, habits: Habits, is_remote: bool) -> None:
        self.universe = universe
        self.here, self.there = universe.server(A), universe.server(B)
        owner = self.here.online(f"owner@{A}/x")
        owner.send(f"<presence to='{ROOM}/Owner'><x xmlns='{ns.MUC}'/></presence>")
        owner.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", ROOM)
        self.watcher = ModelClient(models.DINO, self.here, f"ann@{A}/phone", ROOM, "Ann")
        owner.close()
        world = self.there if is_remote else self.here
        self.tried = ModelClient(habits, world, f"bob@{world.domain}/desk", ROOM, "Bob")
        self.said = 0
        self.pass_time(20)
        self.watcher.forget()

    def pass_time(self, seconds: float) -> None:
        """A message every five seconds, and everybody does what is due."""
        for _ in range(int(seconds)):
            self.here.keep_alive()
            self.universe.clock.advance(1)
            self.universe.turn()
            if int(self.universe.clock.seconds()) % 5 == 0:
                self.said += 1
                self.watcher.say(f"message {self.said}")
            self.watcher.step()
            self.tried.step()

    @property
    def occupants(self) -> set[str]:
        """The nicknames in the room."""
        rooms = [room for service in self.here.parts.room_services for room in service.rooms]
        return {occupant.nick for room in rooms for occupant in room.rules.occupants}

    def check(self) -> None:
        """Everything is as if nothing had been."""
        self.pass_time(TRIES)
        archived = {id for id, in_archive in self.watcher.messages.items() if in_archive}
        assert self.occupants == {"Ann", "Bob"}
        assert ("Bob", "unavailable") not in self.watcher.seen
        assert not self.tried.knows_it_is_out
        assert archived - set(self.tried.messages) == set()


def restart(scene: Scene, world: FederatedWorld) -> None:
    """A stop in order, and a start."""
    world.do(world.parts.services[Rebuilding].stop())
    world.parts.lasting.freeze()
    world.do(world.parts.federating.leave_notes())
    world.die()
    scene.pass_time(5)
    world.rise()


def kill(scene: Scene, world: FederatedWorld) -> None:
    """A crash, and a start."""
    world.die()
    scene.pass_time(5)
    world.rise()


def the_rooms_server_restarts(scene: Scene) -> None:
    restart(scene, scene.here)


def the_rooms_server_dies(scene: Scene) -> None:
    kill(scene, scene.here)


def his_own_server_restarts(scene: Scene) -> None:
    restart(scene, scene.there)


def his_own_server_dies(scene: Scene) -> None:
    kill(scene, scene.there)


def the_way_is_cut_for_five_minutes(scene: Scene) -> None:
    scene.universe.refuse(A, B)
    scene.pass_time(300)
    scene.universe.heal(A, B)


def the_way_swallows_everything_for_a_minute(scene: Scene) -> None:
    scene.universe.swallow(A, B)
    scene.pass_time(60)
    scene.universe.heal(A, B)


def his_connection_breaks(scene: Scene) -> None:
    scene.tried.cut()
    scene.pass_time(3)


FOR_ALL = [the_rooms_server_restarts, the_rooms_server_dies, his_connection_breaks]
FOR_REMOTE = [
    *FOR_ALL,
    his_own_server_restarts,
    his_own_server_dies,
    the_way_is_cut_for_five_minutes,
    the_way_swallows_everything_for_a_minute,
]
Event = Callable[[Scene], None]


@pytest.mark.parametrize("habits", models.ALL, ids=lambda habits: habits.name)
@pytest.mark.parametrize("event", FOR_REMOTE, ids=lambda event: event.__name__)
def test_who_is_from_another_server_stays(universe: Universe, habits: Habits, event: Event) -> None:
    scene = Scene(universe, habits, is_remote=True)
    event(scene)
    scene.check()


@pytest.mark.parametrize("habits", models.ALL, ids=lambda habits: habits.name)
@pytest.mark.parametrize("event", FOR_ALL, ids=lambda event: event.__name__)
def test_who_is_at_home_where_the_room_is_stays(universe: Universe, habits: Habits, event: Event) -> None:
    scene = Scene(universe, habits, is_remote=False)
    event(scene)
    scene.check()
