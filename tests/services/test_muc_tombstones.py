"""What is left in the archive of a message that was retracted (XEP-0424, XEP-0425)."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred

from fermata.app.config_tables import Archive, Config
from kit import ns
from kit.muc import create, enter
from kit.stanzas import find, text
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"
MODERATE = f"<moderate xmlns='{ns.MODERATE}' id='%s'><retract xmlns='{ns.RETRACT}'/></moderate>"
RETRACT = f"<message to='{ROOM}' type='groupchat' id='r'><retract xmlns='{ns.RETRACT}' id='%s'/></message>"


def said(client: Client, body: str) -> str:
    """The stanza-id of what a client says in the room."""
    client.send(f"<message to='{ROOM}' type='groupchat'><body>{body}</body></message>")
    found = find(client.wait_for(lambda stanza: stanza.findtext("body") == body), "sid:stanza-id")
    assert found is not None
    return found.get("id", "")


def archived(world: World) -> list[str]:
    """All that the room's archive holds, as XML."""
    room = world.parts.room_services[0].rooms.get(ROOM)
    assert room is not None
    rows: list[str] = []
    newest = world.database.archive.newest(room.rules.state.number, 100)
    Deferred.fromCoroutine(newest).addCallback(lambda found: rows.extend(row.xml for row in found))
    return rows


def told(client: Client) -> list[str | None]:
    return [text(message, "body") for message in enter(client, ROOM, client.resource).history]


@pytest.mark.parametrize("history", ["20", "0"])
def test_nothing_that_was_retracted_is_left_even_after_a_crash(world: World, history: str) -> None:
    ann, ben = world.online("ann@localhost/Ann"), world.online("ben@localhost/Ben")
    create(ann, ROOM, "Ann", muc__maxhistoryfetch=history)
    enter(ben, ROOM, "Ben")
    one, two = said(ben, "one"), said(ben, "two")
    said(ben, "three")
    ben.send(RETRACT % one)
    ben.sync(f"{ROOM}/Ben")
    ann.set(MODERATE % two, ROOM)
    rows = archived(world)
    assert ["<body>" in row for row in rows] == [False, False, True, False, False]
    assert ["<retracted " in row for row in rows] == [True, True, False, False, False]
    assert ["<moderated " in row for row in rows] == [False, True, False, False, True]
    world.crash()
    if history != "0":
        assert told(world.online("cat@localhost/Cat")) == ["three"]


def test_what_was_said_before_the_room_was_loaded_can_be_retracted(world: World) -> None:
    ann, ben = world.online("ann@localhost/Ann"), world.online("ben@localhost/Ben")
    create(ann, ROOM, "Ann")
    enter(ben, ROOM, "Ben")
    one, two = said(ben, "one"), said(ben, "two")
    world.crash()
    ann, ben = world.online("ann@localhost/again"), world.online("ben@localhost/again")
    ann.set(MODERATE % one, ROOM)  # with this session she is not in the room
    enter(ben, ROOM, "Ben")
    ben.send(RETRACT % two)
    assert told(world.online("cat@localhost/Cat")) == []


def test_a_request_that_waits_for_the_room_and_for_its_archive_counts_once(world: World) -> None:
    ann = world.online("ann@localhost/Ann")
    create(ann, ROOM, "Ann", muc__maxhistoryfetch="0")
    id = said(ann, "one")
    world.crash()
    ann = world.login("ann@localhost/Ann")
    ann.enable()
    before = ann.request_ack()
    ann.set(MODERATE % id, ROOM)
    ann.available()
    assert ann.request_ack() == before + 3  # with the presence, and the ping behind it


@pytest.mark.parametrize(("history", "answer"), [("20", "result"), ("0", "error")])
def test_without_an_archive_what_is_remembered_can_be_retracted(
    worlds: Callable[[Config], World], history: str, answer: str
) -> None:
    world = worlds(Config(archive=Archive(rooms=False)))
    ann = world.online("ann@localhost/Ann")
    create(ann, ROOM, "Ann", muc__maxhistoryfetch=history)
    id = said(ann, "one")
    reply = ann.iq("set", MODERATE % id, ROOM)
    assert reply.get("type") == answer
    assert told(world.online("cat@localhost/Cat")) == []
