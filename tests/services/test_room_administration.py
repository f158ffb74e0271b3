"""Rooms as administrators see them."""

import pytest

from fermata.services.room_administration import RoomAdministration
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.muc import create, enter
from kit.stanzas import text
from kit.wire import Client
from kit.world import World

ROOM = "verona@conference.localhost"


@pytest.fixture
def rooms(world: World) -> RoomAdministration:
    return world.parts.services[RoomAdministration]


@pytest.fixture
def romeo(world: World) -> Client:
    romeo = world.online("romeo@localhost/orchard")
    create(romeo, ROOM, "Romeo", roomname="Verona", publicroom="0", persistentroom="1")
    return romeo


def test_all_rooms_are_listed_with_how_many_are_in_them(world: World, rooms: RoomAdministration, romeo: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    create(juliet, f"a{ROOM}", "Juliet")
    enter(juliet, ROOM, "Juliet")
    first, second = world.do(rooms.rooms())
    assert first == (f"a{ROOM}", "", 1, False, True)
    assert second == (ROOM, "Verona", 2, False, True)
    assert world.do(rooms.rooms("conference.localhost")) == [first, second]
    assert world.do(rooms.rooms("elsewhere.example")) == []


def test_occupants_are_told_with_their_sessions(world: World, rooms: RoomAdministration, romeo: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    world.advance(1.0)
    enter(juliet, ROOM, "Juliet")
    told = world.do(rooms.occupants(JID.parse(ROOM)))
    assert [each[:4] for each in told] == [
        ("Romeo", romeo.jid, "owner", "moderator"),
        ("Juliet", juliet.jid, "none", "participant"),
    ]


def test_a_room_that_is_not_in_memory_is_told_as_it_was_kept(
    world: World, rooms: RoomAdministration, romeo: Client
) -> None:
    world.parts.room_services[0].rooms.drop(JID.parse(ROOM))
    (only,) = world.do(rooms.rooms())
    assert only.occupants == 1
    (occupant,) = world.do(rooms.occupants(JID.parse(ROOM)))
    assert occupant[:4] == ("Romeo", romeo.jid, "owner", "moderator")


def test_destroying_a_room_tells_those_in_it_why(world: World, rooms: RoomAdministration, romeo: Client) -> None:
    assert world.do(rooms.destroy(JID.parse(ROOM), "plague")) == 1
    gone = romeo.expect("presence", "user:x/user:destroy", from_=f"{ROOM}/Romeo", type="unavailable")
    assert text(gone, "user:x/user:destroy/user:reason") == "plague"
    assert world.do(rooms.rooms()) == []
    assert "201" in enter(romeo, ROOM, "Romeo").codes


def test_the_story_of_a_room_is_that_of_one_person_if_asked(
    world: World, rooms: RoomAdministration, romeo: Client
) -> None:
    juliet = world.online("juliet@localhost/balcony")
    enter(juliet, ROOM, "Juliet")
    juliet.send(f"<presence to='{ROOM}/Juliet' type='unavailable'/>")
    juliet.sync()
    story = world.do(rooms.story(JID.parse(ROOM), JID.parse("juliet@localhost")))
    assert [(line.nick, line.event, line.cause) for line in story] == [
        ("Juliet", "enter", "entered"),
        ("Juliet", "exit", "left"),
    ]
    assert len(world.do(rooms.story(JID.parse(ROOM)))) == 3


def test_what_is_no_room_is_told(world: World, rooms: RoomAdministration) -> None:
    for jid in (ROOM, "verona@elsewhere.example"):
        for deed in (rooms.occupants, rooms.destroy, rooms.story):
            with pytest.raises(StanzaError, match=f"there is no room {jid}"):
                world.do(deed(JID.parse(jid)))
