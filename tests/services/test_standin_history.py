"""What was said in a room before the account came is shown to its clients, and is in no archive."""

from dataclasses import replace
from pathlib import Path

import pytest

from fermata.app.config_tables import Config
from kit import ns
from kit.archives import bodies, page, query
from kit.muc import create, enter
from kit.standing import ROOM, bookmark, say
from kit.stanzas import text
from kit.wire import Client
from kit.world import World

BEFORE = "SELECT owner FROM value WHERE space = 'stand-in-before'"


def told(client: Client, **options: str) -> list[str | None]:
    """Which history a client is told that enters."""
    return [text(each, "body") for each in enter(client, ROOM, "Ann", **options).history]


@pytest.fixture
def late(world: World, ben: Client) -> Client:
    """Ann, whose account has come when two things had been said in the room; her phone is not attached."""
    for body in ("one", "two"):
        say(ben, body)
    ben.sync(ROOM)
    world.skip(3600)
    client = world.online("ann@localhost/phone")
    bookmark(client)
    ben.expect("presence", from_=f"{ROOM}/Ann")
    world.advance(1)
    return client


def test_who_bookmarks_first_and_enters_then_sees_what_he_would_see_anyway(
    world: World, late: Client, ben: Client
) -> None:
    tablet = world.online("ann@localhost/tablet")
    late.sync()
    say(ben, "since")
    ben.sync(ROOM)
    for client in (late, tablet):
        assert told(client) == ["one", "two", "since"]
    assert told(late, history="maxstanzas='2'") == ["two", "since"]
    assert told(late, history="seconds='600'") == ["since"]
    assert told(late, history="maxstanzas='0'") == []
    assert bodies(page(late, query(fields={"include-groupchat": "true"}))) == ["since"]


def test_what_was_said_before_the_bookmark_is_shown_after_a_crash_too(world: World, late: Client, ben: Client) -> None:
    world.crash()
    world.advance(200)
    first, second = world.online("ann@localhost/phone"), world.online("ann@localhost/tablet")
    first.sync()
    assert told(first) == told(second) == ["one", "two"]
    assert bodies(page(first, query(fields={"include-groupchat": "true"}))) == []


def test_it_is_forgotten_once_there_is_enough_to_show_or_the_room_is_left(
    world: World, late: Client, ben: Client
) -> None:
    assert len(world.rows(BEFORE)) == 1
    for number in range(50):
        say(ben, f"m{number}")
        ben.sync(ROOM)
    assert world.rows(BEFORE) == []
    assert told(late) == [f"m{number}" for number in range(50)]


def test_it_is_forgotten_when_the_account_leaves(world: World, late: Client) -> None:
    late.send(f"<iq type='set' id='o' to='{late.bare}'><prefs xmlns='{ns.JOINING}' mode='off'/></iq>")
    late.expect("iq", id="o", type="result")
    assert world.rows(BEFORE) == []


def test_it_is_kept_no_longer_than_what_is_in_archives(tmp_path: Path) -> None:
    world = World(tmp_path, Config(archive=replace(Config().archive, retention_days=10)))
    ben = world.online("ben@localhost/desk")
    create(ben, ROOM, "Ben")
    say(ben, "one")
    ben.sync(ROOM)
    world.skip(3600)
    ann = world.online("ann@localhost/phone")
    bookmark(ann)
    world.advance(5)
    assert len(world.rows(BEFORE)) == 1
    world.skip(10 * 86_400)
    world.advance(61)
    assert world.rows(BEFORE) == []
    world.close()


def test_it_is_not_kept_for_who_archives_nothing_of_the_room(world: World, ben: Client) -> None:
    say(ben, "one")
    ben.sync(ROOM)
    world.skip(3600)
    ann = world.online("ann@localhost/phone")
    ann.set(f"<prefs xmlns='{ns.MAM}' default='never'><always/><never/></prefs>")
    bookmark(ann)
    world.advance(5)
    assert world.rows(BEFORE) == []
