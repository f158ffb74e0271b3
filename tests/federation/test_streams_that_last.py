"""Two of our own servers, whose streams outlive their connections: what is said comes once, in order and as it was."""

from collections.abc import Iterator

import pytest

from federation.place import SERVERS
from federation.relay import Relay
from federation.seen import here, stanza
from federation.site import Site
from federation.sites import Sites
from kit.muc import create, enter
from kit.wire import Client

pytestmark = pytest.mark.interop
PATIENCE = 60.0


class Room:
    """A room on one of them, with Ann, who is there, and Ben from the other."""

    def __init__(self, near: Site, far: Site, relay: Relay) -> None:
        self.near, self.far, self.relay = near, far, relay
        self.ann, self.ben, self.jid = near.guest(), far.guest(), near.room()
        create(self.ann, self.jid, "ann")
        enter(self.ben, self.jid, "ben")
        self.ann.wait_for(here(f"{self.jid}/ben"))
        self.said: list[str] = []
        self.heard: dict[Client, list[str]] = {self.ann: [], self.ben: []}

    def say(self, count: int) -> None:
        for _ in range(count):
            body = f"number {len(self.said)}"
            self.said.append(body)
            speaker = (self.ann, self.ben)[len(self.said) % 2]
            speaker.send(f"<message to='{self.jid}' type='groupchat' id='{body}'><body>{body}</body></message>")

    def settle(self) -> None:
        """Returns once their own servers have dealt with what they have said."""
        for person, bodies in self.heard.items():
            bodies += [each.findtext("body") or "" for each in person.sync() if each.find("body") is not None]

    def each_has_come_once(self) -> None:
        """To both, and what one has said in the order in which he has said it."""
        for person, bodies in self.heard.items():
            while len(bodies) < len(self.said):
                bodies.append(person.wait_for(stanza("message", "body"), PATIENCE).findtext("body") or "")
        self.settle()
        for bodies in self.heard.values():
            assert sorted(bodies) == sorted(self.said)
            numbers = [int(body.split()[1]) for body in bodies]
            for remainder in (0, 1):
                of_one = [number for number in numbers if number % 2 == remainder]
                assert of_one == sorted(of_one)


@pytest.fixture(scope="module")
def both(sites: Sites) -> Iterator[tuple[Site, Site, Relay]]:
    near, far = sites.site("fermata-relayed"), sites.site("fermata-relayed-second")
    with Relay({sites.relay_address(site): site.place.address for site in (near, far)}, SERVERS) as relay:
        yield near, far, relay


@pytest.fixture
def room(both: tuple[Site, Site, Relay], sites: Sites) -> Iterator[Room]:
    yield Room(*both)
    sites.part()


def test_a_cut_repeats_nothing(room: Room) -> None:
    room.say(10)
    room.relay.cut()
    room.say(10)
    room.each_has_come_once()


def test_nor_do_cuts_amid_messages(room: Room) -> None:
    for _ in range(20):
        room.say(5)
        room.relay.cut()
    room.each_has_come_once()


def test_nor_does_a_silent_network_that_breaks_in_the_end(room: Room) -> None:
    room.say(4)
    room.relay.hold()
    room.say(10)
    room.settle()
    room.relay.cut()
    room.relay.go_on()
    room.say(10)
    room.each_has_come_once()


def test_nor_does_a_server_that_turns_everybody_away_for_seconds(room: Room) -> None:
    room.say(4)
    room.relay.turn_away()
    room.say(10)
    room.relay.wait_for_attempts(4)
    room.relay.let_in()
    room.each_has_come_once()


def test_a_stream_goes_on_after_the_other_server_was_killed(room: Room) -> None:
    """Its people are gone, but what they had sent is known to have come."""
    room.say(6)
    room.each_has_come_once()
    room.far.kill()
    room.far.start()
    ben = room.far.guest()
    enter(ben, room.jid, "ben again")
    room.ann.wait_for(here(f"{room.jid}/ben again"))
    room.ann.send(f"<message to='{room.jid}' type='groupchat' id='last'><body>last</body></message>")
    bodies: list[str] = []
    while bodies[-1:] != ["last"]:
        bodies.append(room.ann.wait_for(stanza("message", "body"), PATIENCE).findtext("body") or "")
    assert bodies == ["last"]
