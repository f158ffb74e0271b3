"""The account is in the room: clients come and go, and nobody in the room sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import ns
from kit.muc import create, enter
from kit.stanzas import find, text
from kit.wire import Client
from kit.world import World

BOOKMARKS = "urn:xmpp:bookmarks:1"
ROOM = "tea@conference.localhost"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def ben(world: World) -> Client:
    """The owner of the room, with a client of his own in it."""
    client = world.online("ben@localhost/desk")
    create(client, ROOM, "Ben")
    return client


def bookmark(client: Client, room: str = ROOM, nick: str = "Ann", autojoin: bool = True, inside: str = "") -> None:
    """Publishes a bookmark; nothing of that is left to read."""
    conference = (
        f"<conference xmlns='{BOOKMARKS}' autojoin='{'true' if autojoin else 'false'}'>"
        f"<nick>{nick}</nick>{inside}</conference>"
    )
    client.set(
        f"<pubsub xmlns='{ns.PUBSUB}'><publish node='{BOOKMARKS}'><item id='{room}'>{conference}</item></publish>"
        "</pubsub>"
    )


def say(client: Client, body: str, room: str = ROOM) -> None:
    client.send(f"<message to='{room}' type='groupchat' id='{body}'><body>{body}</body></message>")


def hears(client: Client, body: str) -> None:
    message = client.expect("message", type="groupchat")
    assert text(message, "body") == body


def test_a_bookmarked_room_is_entered_without_any_client(world: World, ben: Client) -> None:
    ann = world.online("ann@localhost/phone")
    bookmark(ann)
    came = ben.expect("presence", from_=f"{ROOM}/Ann")
    item = find(came, "user:x/user:item")
    assert item is not None
    assert item.get("jid", "").startswith("ann@localhost/~stay.")
    ann.close()
    world.advance(600)
    assert ben.sync() == []


def test_clients_attach_talk_and_go_and_nobody_sees_it(world: World, ben: Client) -> None:
    ann = world.online("ann@localhost/phone")
    bookmark(ann)
    ben.expect("presence", from_=f"{ROOM}/Ann")
    entry = enter(ann, ROOM, "Ann")
    assert [each.get("from") for each in entry.others] == [f"{ROOM}/Ben"]
    assert entry.own.get("from") == f"{ROOM}/Ann"
    say(ann, "hello")
    for client in (ann, ben):
        hears(client, "hello")
    tablet = world.online("ann@localhost/tablet")
    ann.sync()
    history = enter(tablet, ROOM, "Ann").history
    assert [text(each, "body") for each in history] == ["hello"]
    say(ben, "hi")
    for client in (ben, ann, tablet):
        hears(client, "hi")
    world.advance(30)
    ann.cut()
    tablet.close()
    world.advance(600)
    came = ben.sync()
    assert {each.tag for each in came} == {"presence"}
    assert all(each.get("type") is None for each in came), "somebody was seen to leave"
    say(ben, "still here?")
    hears(ben, "still here?")
    again = world.online("ann@localhost/laptop")
    entry = enter(again, ROOM, "Ann")
    assert [text(each, "body") for each in entry.history] == ["hello", "hi", "still here?"]
