"""What strangers may send in a minute."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Config, Limits
from kit.muc import create, enter
from kit.stanzas import error
from kit.wire import Client
from kit.world import World

ROOM = "verona@conference.localhost"


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    return worlds(Config(limits=Limits(stranger_messages_per_minute=3, stranger_requests_per_minute=2)))


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def write(client: Client, to: str, times: int) -> list[str]:
    """The conditions of the errors that come back."""
    for _ in range(times):
        client.send(f"<message to='{to}' type='chat'><body>hi</body></message>")
    return [error(stanza)[1] for stanza in client.sync() if stanza.get("type") == "error"]


def test_a_stranger_writes_so_much_and_no_more(world: World, juliet: Client, romeo: Client) -> None:
    assert write(romeo, juliet.bare, 5) == ["resource-constraint"] * 2
    assert len(juliet.sync()) == 3
    world.advance(61.0)
    assert write(romeo, juliet.bare, 3) == []


def test_all_whom_he_writes_to_count_together(world: World, romeo: Client) -> None:
    for number in range(4):
        world.add_account(f"p{number}@localhost")
    assert [write(romeo, f"p{number}@localhost", 1) for number in range(4)] == [[], [], [], ["resource-constraint"]]


def test_contacts_and_oneself_write_as_they_like(world: World, juliet: Client, romeo: Client) -> None:
    world.befriend(juliet, romeo)
    assert write(romeo, juliet.bare, 10) == []
    assert write(romeo, romeo.bare, 10) == []


def test_who_says_nothing_of_his_own_is_not_counted(juliet: Client, romeo: Client) -> None:
    for _ in range(10):
        romeo.send(f"<message to='{juliet.bare}' type='error' id='x'><error type='cancel'/></message>")
    assert write(romeo, juliet.bare, 3) == []


def test_rooms_are_no_strangers(juliet: Client, romeo: Client) -> None:
    create(romeo, ROOM, "Romeo")
    enter(juliet, ROOM, "Juliet")
    romeo.sync()
    assert write(romeo, f"{ROOM}/Juliet", 10) == []
    for _ in range(10):
        romeo.send(f"<message to='{ROOM}' type='groupchat'><body>hi</body></message>")
    romeo.sync()
    assert len([stanza for stanza in juliet.sync() if stanza.tag == "message"]) == 20


def test_requests_are_counted_too(world: World, romeo: Client) -> None:
    for number in range(3):
        world.add_account(f"p{number}@localhost")
        romeo.send(f"<presence to='p{number}@localhost' type='subscribe'/>")
    refused = [stanza for stanza in romeo.sync() if stanza.get("type") == "error"]
    assert [(each.get("from"), error(each)) for each in refused] == [("p2@localhost", ("wait", "resource-constraint"))]
