"""Old messages leave the archives (`[archive] retention_days`), and whatever is asked about them has a right answer."""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from fermata.app.config_tables import Archive, Config
from kit import ns
from kit.archives import bodies, page, query
from kit.muc import create, enter, talk
from kit.stanzas import find
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"
DAY = 86_400.0
METADATA = f"<metadata xmlns='{ns.MAM}'/>"


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    return worlds(Config(archive=Archive(retention_days=30)))


@pytest.fixture
def romeo(world: World) -> Client:
    """Somebody in a room that keeps its messages."""
    romeo = world.online("romeo@localhost/orchard")
    create(romeo, ROOM, "Romeo")
    return romeo


def say(client: Client, *words: str) -> None:
    talk(client, ROOM, *words)


def write(client: Client, *words: str) -> None:
    for word in words:
        client.send(f"<message type='chat' to='juliet@localhost'><body>{word}</body></message>")
    client.sync()


def days_pass(world: World, days: float) -> None:
    """So much time passes, and the next round begins."""
    world.skip(days * DAY)
    world.advance(3_700.0)


def ends(client: Client, to: str | None) -> list[str | None]:
    found = find(client.get(METADATA, to), "mam:metadata")
    assert found is not None
    return [each.get("id") for each in found]


@pytest.mark.parametrize("archive", [ROOM, None], ids=["room", "account"])
def test_what_is_too_old_is_gone_and_the_rest_is_whole(world: World, romeo: Client, archive: str | None) -> None:
    world.add_account("juliet@localhost")
    speak = say if archive else write
    speak(romeo, "a", "b")
    world.skip(20 * DAY)
    speak(romeo, "c", "d")
    before = page(romeo, query(), archive)
    assert bodies(before) == list("abcd")
    days_pass(world, 11)
    after = page(romeo, query(), archive)
    assert (bodies(after), after.ids, after.is_complete) == (["c", "d"], before.ids[2:], True)
    assert ends(romeo, archive) == before.ids[2:]
    first = page(romeo, query("<max>1</max>"), archive)
    assert (bodies(first), first.is_complete) == (["c"], False)
    assert page(romeo, query(f"<max>5</max><before>{before.ids[2]}</before>"), archive).is_complete
    for gone in (query(after_id=before.ids[1]), query(before_id=before.ids[0]), query(ids=[before.ids[0]])):
        assert romeo.refused("set", gone, archive) == ("cancel", "item-not-found")
    assert romeo.refused("set", query(f"<after>{before.ids[0]}</after>"), archive) == ("cancel", "item-not-found")


def test_an_archive_whose_messages_are_all_gone_is_empty_and_goes_on(world: World, romeo: Client) -> None:
    say(romeo, "a")
    (old,) = page(romeo, query(), ROOM).ids
    days_pass(world, 31)
    assert (page(romeo, query(), ROOM).ids, ends(romeo, ROOM)) == ([], [])
    assert world.rows("SELECT count(*) FROM archive") == [(0,)]
    world.crash()
    romeo = world.online("romeo@localhost/orchard")
    enter(romeo, ROOM, "Romeo")
    say(romeo, "b")
    assert bodies(page(romeo, query(), ROOM)) == ["b"]
    assert page(romeo, query(), ROOM).ids != [old]


def test_who_enters_is_not_told_either(world: World, romeo: Client) -> None:
    say(romeo, "a")
    world.skip(20 * DAY)
    say(romeo, "b")
    days_pass(world, 11)
    juliet = world.online("juliet@localhost/balcony")
    assert [message.findtext("body") for message in enter(juliet, ROOM, "Juliet").history] == ["b"]


def test_what_is_gone_is_not_there_to_be_retracted(world: World, romeo: Client) -> None:
    say(romeo, "a")
    (old,) = page(romeo, query(), ROOM).ids
    days_pass(world, 31)
    moderate = f"<moderate xmlns='{ns.MODERATE}' id='{old}'><retract xmlns='{ns.RETRACT}'/></moderate>"
    assert romeo.refused("set", moderate, ROOM) == ("cancel", "item-not-found")


def test_a_tombstone_goes_in_its_turn(world: World, romeo: Client) -> None:
    say(romeo, "a", "b")
    moderate = f"<moderate xmlns='{ns.MODERATE}' id='%s'><retract xmlns='{ns.RETRACT}'/></moderate>"
    world.skip(20 * DAY)
    romeo.send(f"<iq type='set' id='m' to='{ROOM}'>{moderate % page(romeo, query(), ROOM).ids[0]}</iq>")
    romeo.sync(ROOM)
    days_pass(world, 11)
    assert len(page(romeo, query(), ROOM).ids) == 1, "the retraction itself is not so old"


def fill(world: World, *stamps: float) -> None:
    """Messages of these ages in days, behind those that are there."""
    now = world.clock.seconds()
    rows = [(now - age * DAY,) for age in stamps]
    world.turn()
    with closing(sqlite3.connect(world.file)) as database:
        insert = "INSERT INTO archive (stamp, owner, sender, recipient, keep, xml) VALUES (?, 1, '', '', 1, '')"
        database.executemany(insert, rows)
        database.commit()


def left(world: World) -> int:
    ((count,),) = world.rows("SELECT count(*) FROM archive")
    return int(count)


def test_many_go_in_small_batches_with_time_in_between(world: World, caplog: pytest.LogCaptureFixture) -> None:
    fill(world, *[40.0] * 1_000, 1.0)
    world.advance(60.05)
    assert left(world) == 801
    world.advance(0.1)
    assert left(world) == 601
    with caplog.at_level(logging.INFO):
        world.advance(5.0)
    assert left(world) == 1
    assert "1000 messages of more than 30 days ago were deleted" in caplog.text


def test_a_clock_that_was_wrong_holds_nothing_up(world: World) -> None:
    fill(world, 40.0, *[-900.0] * 450, 35.0, 1.0)
    world.advance(120.0)
    assert left(world) == 1


def test_nothing_is_deleted_on_the_word_of_a_wrong_clock_alone(world: World) -> None:
    fill(world, *[-900.0] * 5, 1.0)
    world.advance(120.0)
    assert left(world) == 6


def test_without_a_limit_everything_stays(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config())
    fill(world, 40_000.0)
    world.advance(4_000.0)
    assert left(world) == 1


def test_a_full_disk_only_puts_it_off(world: World) -> None:
    fill(world, 40.0, 1.0)
    with closing(sqlite3.connect(world.file)) as database:
        database.execute(
            "CREATE TRIGGER no_expiry BEFORE DELETE ON archive BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    world.advance(120.0)
    assert any("can't be deleted now" in error for error in world.errors())
    assert left(world) == 2
    with closing(sqlite3.connect(world.file)) as database:
        database.execute("DROP TRIGGER no_expiry")
    world.advance(3_700.0)
    assert left(world) == 1
