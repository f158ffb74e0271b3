"""A room's server is killed, with people of another ordinary server in the room: streams are all that the two share."""

import pytest

from fermata.services.room_administration import RoomAdministration
from fermata.xmpp.jid import JID
from kit import ns
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter
from kit.wire import Client

ROOM = "tea@conference.a.example"
BOB = "bob@b.example/desk"


@pytest.fixture
def bob(universe: Universe, here: FederatedWorld) -> Client:
    ann = here.online("ann@a.example/phone")
    create(ann, ROOM, "Ann")
    there = universe.server("b.example")
    bob = there.online(BOB)
    enter(bob, ROOM, "Bob")
    ann.sync()
    bob.sync()
    there.advance(5)
    return bob


def states(world: FederatedWorld) -> dict[str, str]:
    told = world.do(world.parts.services[RoomAdministration].occupants(JID.parse(ROOM)))
    return {each.jid: each.state for each in told}


def test_somebody_elsewhere_hears_nothing_of_a_crash_and_goes_on_talking(here: FederatedWorld, bob: Client) -> None:
    here.crash()
    assert states(here)[BOB] == "unverified"
    here.advance(5)
    bob.nothing_before()
    bob.send(f"<message to='{ROOM}' type='groupchat' id='m'><body>still here</body></message>")
    assert bob.wait_for(lambda each: each.tag == "message").findtext("body") == "still here"
    assert states(here)[BOB] == "here"


def test_a_self_ping_after_a_crash_says_that_he_is_in(here: FederatedWorld, bob: Client) -> None:
    here.crash()
    bob.send(f"<iq type='get' id='p' to='{ROOM}/Bob'><ping xmlns='{ns.PING}'/></iq>")
    assert bob.wait_for(lambda each: each.get("id") == "p").get("type") == "result"
    assert states(here)[BOB] == "here"


def test_somebody_who_is_silent_is_asked_over_the_stream_between_the_servers(here: FederatedWorld, bob: Client) -> None:
    here.crash()
    here.advance(60)
    ping = bob.wait_for(lambda each: each.find(f"{{{ns.PING}}}ping") is not None)
    assert (ping.get("from"), ping.get("to")) == (ROOM, BOB)
    bob.send(f"<iq type='result' id='{ping.get('id')}' to='{ROOM}'/>")
    bob.sync()
    here.turn()
    assert states(here)[BOB] == "here"
    here.advance(7200)
    assert [each for each in bob.sync() if each.find(f"{{{ns.PING}}}ping") is not None] == []
