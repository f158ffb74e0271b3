"""Links that break and servers that fall: what was said arrives all the same, and who was in a room is in it."""

from collections.abc import Iterator

import pytest

from federation.place import SERVERS
from federation.relay import Relay
from federation.seen import here, said, stanza
from federation.site import Site
from federation.sites import Sites
from interop.peers import PeerError
from kit import ns
from kit.muc import create, enter
from kit.stanzas import text
from kit.wire import Client

pytestmark = pytest.mark.interop

# Seconds in which a link has to be up again. Attempts are made 1, 2, 5, 10 and 30 seconds apart, and up to a quarter
# more: a server that was down for 20 seconds, as on a machine with very much to do, is looked for again after 37.5.
RETRY = 45.0


def write(sender: Client, to: str, *bodies: str, type: str = "chat") -> None:
    for body in bodies:
        sender.send(f"<message to='{to}' type='{type}' id='id-of-{body}'><body>{body}</body></message>")


def numbered(*numbers: int) -> list[str]:
    return [f"number {number}" for number in range(*numbers)]


def heard(person: Client, wanted: list[str]) -> bool:
    """Whether these arrive in this order; what arrives twice, or was said before, counts once or not at all."""
    came: list[str] = []
    while len(came) < len(wanted):
        body = text(person.wait_for(stanza("message", "body"), RETRY), "body") or ""
        if body in wanted and body not in came:
            came.append(body)
    return came == wanted


@pytest.mark.parametrize("pair", [("fermata", "prosody"), ("fermata", "ejabberd")], indirect=True, ids="-".join)
def test_messages_wait_for_a_server_that_is_down(near: Site, far: Site) -> None:
    ann, name = near.guest(), far.person()
    ben = far.online(name)
    write(ann, ben.bare, "before")
    ben.wait_for(said("before"))
    far.kill()
    ben.cut()
    write(ann, f"{name}@{far.domain}", *numbered(10))
    ann.nothing_before()
    far.start()
    ben = far.online(name)
    assert heard(ben, numbered(10))
    ann.nothing_before()


class Link:
    """A room and a guest from another server; all ways between the two servers go through a relay."""

    def __init__(self, relay: Relay, room: str, ann: Client, ben: Client) -> None:
        self.relay, self.room, self.ann, self.ben = relay, room, ann, ben

    def says(self, *bodies: str) -> None:
        write(self.ann, self.room, *bodies, type="groupchat")

    def nobody_is_out(self) -> None:
        """Neither is told that the other has left, nor that he himself is not there any more."""
        for person, to in ((self.ann, self.room + "/ann"), (self.ben, self.room + "/ben")):
            assert not [each for each in person.sync(to) if each.get("type") == "unavailable"], "somebody is out"


@pytest.fixture(scope="module", params=["prosody-relayed", "ejabberd-relayed", "fermata-relayed-second"])
def relayed(request: pytest.FixtureRequest, sites: Sites) -> Iterator[tuple[Site, Site, Relay]]:
    try:
        near, far = sites.site("fermata-relayed"), sites.site(request.param)
    except PeerError as reason:
        pytest.skip(str(reason))
    with Relay({sites.relay_address(site): site.place.address for site in (near, far)}, SERVERS) as relay:
        yield near, far, relay


@pytest.fixture
def link(relayed: tuple[Site, Site, Relay], sites: Sites) -> Iterator[Link]:
    near, far, relay = relayed
    ann, ben, room = near.guest(), far.guest(), near.room()
    create(ann, room, "ann")
    enter(ben, room, "ben")
    ann.wait_for(here(f"{room}/ben"))
    yield Link(relay, room, ann, ben)
    sites.part()


def test_a_cut_loses_nobody_and_nothing(link: Link) -> None:
    link.says(*numbered(10))
    assert heard(link.ben, numbered(10))
    link.relay.cut()
    link.says(*numbered(10, 20))
    assert heard(link.ben, numbered(10, 20))
    link.nobody_is_out()


def test_cuts_amid_messages_lose_nobody_and_nothing(link: Link) -> None:
    for number in range(0, 50, 10):
        link.says(*numbered(number, number + 10))
        link.relay.cut()
    assert heard(link.ben, numbered(50))
    link.nobody_is_out()


def test_a_server_out_of_reach_for_seconds_loses_nobody_and_nothing(link: Link) -> None:
    link.relay.turn_away()
    link.says(*numbered(10))
    link.relay.wait_for_attempts(2)
    link.relay.let_in()
    assert heard(link.ben, numbered(10))
    link.nobody_is_out()


def test_what_a_silent_network_held_up_arrives_once_it_speaks(link: Link) -> None:
    link.relay.hold()
    link.says(*numbered(10))
    link.ann.sync()
    link.relay.go_on()
    assert heard(link.ben, numbered(10))
    link.nobody_is_out()


def test_whoever_is_there_again_is_answered_at_once(link: Link) -> None:
    """The pause before the next attempt is five seconds by now; but somebody comes from there, and that ends it."""
    link.relay.turn_away()
    link.says("hello?")
    link.relay.wait_for_attempts(3)
    link.relay.let_in()
    link.ben.send(f"<iq type='get' id='p1' to='{link.room}/ben'><ping xmlns='{ns.PING}'/></iq>")
    link.ben.wait_for(stanza("iq", id="p1", type="result"), 3)
