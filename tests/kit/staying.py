"""A room, two people, and something that breaks: what becomes of them, for each client that is modelled.

A room on one server; in it somebody from there, whose client watches and talks, and one who is tried, from there or
from another server. Something breaks while one message is said every five seconds. `python -m kit.staying` prints the
table of docs/staying-joined.md.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from fermata.services.muc_rebuilding import Rebuilding

from . import client_models as models
from . import ns
from .client_models import Habits, ModelClient
from .federated import FederatedWorld, Universe

A, B = "a.example", "b.example"
ROOM = f"tea@conference.{A}"
TRIES = 120.0  # seconds after which everything has to be as it was


class Outcome(NamedTuple):
    """What one has to show for it.

    `is_in`: everybody is in the room, and his client knows that he is; `was_seen_leaving`: by the other one; `missed`
    messages that he never got, `again` that he got more than once (with the stanza-id that they had), and how often
    his client has `entered` again.
    """

    is_in: bool
    was_seen_leaving: bool
    missed: int
    again: int
    entered: int


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
        self.entered = self.tried.entrances

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

    def outcome(self) -> Outcome:
        """What has become of it, two minutes after everything is whole again."""
        self.pass_time(TRIES)
        return Outcome(
            self.occupants == {"Ann", "Bob"} and not self.tried.knows_it_is_out,
            ("Bob", "unavailable") in self.watcher.seen,
            len(set(self.watcher.messages) - set(self.tried.messages)),
            sum(count - 1 for count in self.tried.messages.values()),
            self.tried.entrances - self.entered,
        )


def restart(scene: Scene, world: FederatedWorld) -> None:
    """A stop in order, and a start."""
    for server in scene.universe.servers:  # as `OtherServers.close` does, it waits for the last acknowledgements
        server.parts.federating.federation.links.ask()
    scene.universe.clock.advance(0.1)
    scene.universe.turn()
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


Event = Callable[[Scene], None]
FOR_ALL: list[Event] = [the_rooms_server_restarts, the_rooms_server_dies, his_connection_breaks]
FOR_REMOTE: list[Event] = [
    *FOR_ALL,
    his_own_server_restarts,
    his_own_server_dies,
    the_way_is_cut_for_five_minutes,
    the_way_swallows_everything_for_a_minute,
]


def tried(habits: Habits, event: Event, is_remote: bool) -> Outcome:
    """What becomes of somebody with such a client."""
    with TemporaryDirectory() as directory:
        universe = Universe(Path(directory))
        try:
            scene = Scene(universe, habits, is_remote)
            event(scene)
            return scene.outcome()
        finally:
            universe.close()


def table() -> str:
    """All of them, in Markdown."""
    names = [habits.name for habits in models.ALL]
    lines = [f"| what happens | he is | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for events, is_remote, where in ((FOR_REMOTE, True, "remote"), (FOR_ALL, False, "local")):
        for event in events:
            words = event.__name__.replace("_", " ")
            cells = [_cell(tried(habits, event, is_remote)) for habits in models.ALL]
            lines.append(f"| {words} | {where} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(outcome: Outcome) -> str:
    said = "in" if outcome.is_in and not outcome.was_seen_leaving else "OUT" if not outcome.is_in else "left, in"
    said += f", {outcome.missed} missed" if outcome.missed else ""
    said += f", {outcome.again} twice" if outcome.again else ""
    return said + (", entered again" if outcome.entered else "")


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
