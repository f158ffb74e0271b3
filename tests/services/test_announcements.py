"""What everybody is told: announcements and the message of the day."""

import pytest

from fermata.services.announcements import Announcements
from fermata.services.shutting_down import ShuttingDown
from fermata.xmpp.errors import StanzaError
from kit.wire import Client
from kit.world import World


@pytest.fixture
def announcements(world: World) -> Announcements:
    return world.parts.services[Announcements]


def texts(client: Client) -> list[str]:
    return [stanza.findtext("body", "") for stanza in client.sync() if stanza.tag == "message"]


def come(world: World, address: str) -> list[str]:
    client = world.login(address)
    client.send("<presence/>")
    return texts(client)


def test_an_announcement_reaches_who_is_online(world: World, announcements: Announcements) -> None:
    juliet, romeo = world.online("juliet@localhost/balcony"), world.login("romeo@localhost/orchard")
    world.add_account("paris@localhost")
    assert world.do(announcements.announce("localhost", "Fire!")) == 1
    message = juliet.expect("message", "subject", from_="localhost", to="juliet@localhost")
    assert message.findtext("body") == "Fire!"
    romeo.nothing_before()
    assert come(world, "paris@localhost/church") == []


def test_an_announcement_to_all_waits_for_those_who_are_not_there(world: World, announcements: Announcements) -> None:
    juliet = world.online("juliet@localhost/balcony")
    for number in range(120):
        world.add_account(f"p{number}@localhost")
    assert world.do(announcements.announce("localhost", "Fire!", to_all=True)) == 121
    assert texts(juliet) == ["Fire!"]
    assert come(world, "p119@localhost/x") == ["Fire!"]


def test_the_message_of_the_day_is_told_to_each_account_once(world: World, announcements: Announcements) -> None:
    juliet = world.online("juliet@localhost/balcony")
    world.do(announcements.set_of_the_day("localhost", "Good morrow"))
    assert texts(juliet) == []
    juliet.send("<presence type='unavailable'/>")
    juliet.send("<presence/>")
    assert texts(juliet) == ["Good morrow"]
    assert come(world, "juliet@localhost/chamber") == []
    assert come(world, "romeo@localhost/orchard") == ["Good morrow"]
    world.crash()
    assert come(world, "juliet@localhost/balcony") == []
    assert come(world, "paris@localhost/church") == ["Good morrow"]


def test_another_message_of_the_day_is_told_to_everybody_again(world: World, announcements: Announcements) -> None:
    world.do(announcements.set_of_the_day("localhost", "Good morrow"))
    assert come(world, "juliet@localhost/balcony") == ["Good morrow"]
    world.do(announcements.edit_of_the_day("localhost", "Good night"))
    assert come(world, "juliet@localhost/balcony") == []
    assert come(world, "romeo@localhost/orchard") == ["Good night"]
    world.do(announcements.set_of_the_day("localhost", "Parting"))
    assert come(world, "juliet@localhost/balcony") == ["Parting"]
    world.do(announcements.delete_of_the_day("localhost"))
    assert announcements.of_the_day("localhost") == ""
    assert come(world, "paris@localhost/church") == []


def test_nothing_cannot_be_said(world: World, announcements: Announcements) -> None:
    for said in (announcements.announce, announcements.set_of_the_day):
        with pytest.raises(StanzaError, match="nothing to be said"):
            world.do(said("localhost", " \n"))
    with pytest.raises(StanzaError, match="no message of the day"):
        world.do(announcements.edit_of_the_day("localhost", "x"))


def test_the_server_stops_in_time_and_says_so_before(world: World) -> None:
    juliet = world.online("juliet@localhost/balcony")
    ending, stopped = world.parts.services[ShuttingDown], []
    ending.on_due = lambda restarts: stopped.append(world.clock.seconds())
    world.do(ending.begin(600.0, "We close at ten"))
    assert texts(juliet) == ["We close at ten"]
    world.do(ending.begin(30.0))
    world.advance(29.0)
    assert not stopped
    world.advance(600.0)
    assert len(stopped) == 1
