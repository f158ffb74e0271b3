"""Clients that do not read what they are sent: a bounded queue, and then an end."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Config, Limits
from fermata.core.stream_management import WINDOW_STANZAS
from kit import ns
from kit.muc import create, enter
from kit.stanzas import Element
from kit.wire import Client
from kit.world import World

QUEUE = 20
BODY = "x" * 8_000


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    """At most 20 stanzas wait for a client."""
    return worlds(Config(limits=Limits(queue_stanzas=QUEUE)))


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def flood(client: Client, to: str, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        client.send(f"<message to='{to}' type='chat' id='{number}'><body>{BODY}</body></message>")


def ids(client: Client) -> list[str]:
    return [stanza.get("id", "") for stanza in client.sync() if stanza.tag == "message"]


def test_a_reader_that_pauses_gets_everything_in_order(world: World, romeo: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    flood(romeo, juliet.jid, QUEUE)
    assert ids(juliet) == [str(number) for number in range(QUEUE)]


def test_a_reader_that_does_not_read_is_cut_off(world: World, romeo: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    world.befriend(romeo, juliet)
    flood(romeo, juliet.jid, 3 * QUEUE)
    juliet.expect_stream_error("resource-constraint")
    romeo.expect("presence", type="unavailable", from_=juliet.jid)


def test_what_it_did_not_get_waits_for_the_next_session(world: World, romeo: Client) -> None:
    juliet = world.online("juliet@localhost/balcony")
    flood(romeo, juliet.jid, 3 * QUEUE)
    got = []
    while (stanza := juliet.next()).tag == "message":
        got.append(stanza.get("id"))
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    assert got + ids(again) == [str(number) for number in range(3 * QUEUE)]
    romeo.nothing_before()


def test_with_stream_management_only_the_connection_ends(world: World, romeo: Client) -> None:
    juliet = world.login("juliet@localhost/balcony")
    id = juliet.enable().get("id", "")
    juliet.available()
    world.befriend(romeo, juliet)
    juliet.ack()
    flood(romeo, juliet.jid, 2 * QUEUE)
    got = []
    while (stanza := juliet.next()).tag == "message":
        got.append(stanza.get("id"))
    assert stanza.tag == f"{{{ns.STREAMS}}}error"
    romeo.nothing_before()
    again = world.authenticated("juliet@localhost")
    assert again.resume(id, juliet.handled).tag == f"{{{ns.SM}}}resumed"
    assert got + ids(again) == [str(number) for number in range(2 * QUEUE)]


def test_a_session_that_is_never_resumed_does_not_grow_for_ever(world: World, romeo: Client) -> None:
    juliet = world.login("juliet@localhost/balcony")
    juliet.enable()
    juliet.available()
    world.befriend(romeo, juliet)
    juliet.cut()
    flood(romeo, juliet.jid, 10 * QUEUE)
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    again = world.login("juliet@localhost/chamber")
    again.send("<presence/>")
    assert ids(again) == [str(number) for number in range(10 * QUEUE)]


def test_a_session_that_ends_by_what_it_is_told_keeps_it_from_none_of_the_others(world: World) -> None:
    first, lost, last = (world.login(f"juliet@localhost/{resource}") for resource in ("first", "lost", "last"))
    for client in (first, lost, last):
        client.get(f"<query xmlns='{ns.ROSTER}'/>")
        client.get(f"<blocklist xmlns='{ns.BLOCKING}'/>")
        client.enable()
        client.available()
    lost.cut()
    for number in range(3 * QUEUE):
        first.send(f"<presence><status>{number}</status></presence>")
        first.set(f"<query xmlns='{ns.ROSTER}'><item jid='romeo@localhost' name='{number}'/></query>")
        first.set(f"<block xmlns='{ns.BLOCKING}'><item jid='{number}@localhost'/></block>")
        seen = last.sync()
        assert f"{number}" in [stanza.findtext("status") for stanza in seen]
        assert len([stanza for stanza in seen if stanza.get("type") == "set"]) == 2


def test_bytes_are_counted_too(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(limits=Limits(queue_bytes=5 * len(BODY))))
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    flood(romeo, juliet.jid, QUEUE)
    juliet.expect_stream_error("resource-constraint")


def test_no_limit_is_no_limit(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(limits=Limits(queue_stanzas=0, queue_bytes=0)))
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    flood(romeo, juliet.jid, 10 * QUEUE)
    assert len(ids(juliet)) == 10 * QUEUE


def test_whoever_acknowledges_gets_any_flood_and_keeps_the_connection(worlds: Callable[[Config], World]) -> None:
    """More than 5,000 stanzas and 10 MB, of which at no time so many are under way as the client has not acked."""
    world = worlds(Config())
    romeo, juliet = world.online("romeo@localhost/orchard"), world.login("juliet@localhost/balcony")
    juliet.enable()
    juliet.available()
    got: list[str] = []
    for start in range(0, 6_000, 500):
        text = "x" * 2_000
        for number in range(start, start + 500):
            romeo.send(f"<message to='{juliet.jid}' type='chat' id='{number}'><body>{text}</body></message>")
        while len(got) < start + 500:
            stanza = juliet.next()
            if stanza.tag == "message":
                got.append(stanza.get("id", ""))
    assert got == [str(number) for number in range(6_000)]
    juliet.nothing_before()


def test_whoever_enters_rooms_with_more_people_than_may_wait_is_told_of_them_all(world: World) -> None:
    juliet, people = at_doors(world, 3)
    assert len(people) > 2 * QUEUE
    assert {stanza.get("from") for stanza in juliet.sync() if stanza.get("type") is None} >= people


def test_of_presences_too_there_is_an_end_for_a_reader_that_does_not_read(world: World) -> None:
    juliet, people = at_doors(world, 15)
    assert len(people) > 11 * QUEUE
    juliet.wait_for(lambda stanza: stanza.tag == f"{{{ns.STREAMS}}}error")


def at_doors(world: World, rooms: int) -> tuple[Client, set[str]]:
    """Somebody enters so many rooms at once, and has read nothing yet; the others are the occupants, who say much."""
    crowd = [world.login(f"romeo@localhost/{number}") for number in range(16)]
    people = set()
    for room in [f"room{number}@conference.localhost" for number in range(rooms)]:
        create(crowd[0], room, "0")
        for number, client in enumerate(crowd):
            people.add(f"{room}/{number}")
            client.send(f"<presence to='{room}/{number}'><x xmlns='{ns.MUC}'/><status>{BODY}</status></presence>")
        for client in crowd:
            client.sync()
    juliet = world.online("juliet@localhost/balcony")
    for number in range(rooms):
        juliet.send(f"<presence to='room{number}@conference.localhost/Juliet'><x xmlns='{ns.MUC}'/></presence>")
    return juliet, people


def test_who_acknowledges_nothing_is_sent_no_more_than_a_window(world: World, romeo: Client) -> None:
    juliet = world.login("juliet@localhost/balcony")
    juliet.enable()
    juliet.available()
    juliet.ack()
    juliet.transparent = True
    got = []
    for number in range(WINDOW_STANZAS + 10):
        romeo.send(f"<message to='{juliet.jid}' type='chat' id='{number}'><body>hi</body></message>")
        got += [stanza.get("id") for stanza in read(juliet) if stanza.tag == "message"]
    assert got == [str(number) for number in range(WINDOW_STANZAS)]
    juliet.ack()
    late = [stanza.get("id") for stanza in read(juliet) if stanza.tag == "message"]
    assert late == [str(WINDOW_STANZAS + number) for number in range(10)]


def test_who_is_away_from_a_busy_room_stays_in_it(world: World, romeo: Client) -> None:
    room = "tea@conference.localhost"
    create(romeo, room, "Romeo")
    juliet = world.login("juliet@localhost/balcony")
    id = juliet.enable().get("id", "")
    enter(juliet, room, "Juliet")
    romeo.sync()
    juliet.sync()
    juliet.ack()
    handled = juliet.handled
    juliet.cut()
    for number in range(10 * QUEUE):
        romeo.send(f"<message to='{room}' type='groupchat' id='{number}'><body>{number}</body></message>")
    assert [stanza.tag for stanza in romeo.sync() if stanza.tag == "presence"] == []
    again = world.authenticated("juliet@localhost")
    assert again.resume(id, handled).tag == f"{{{ns.SM}}}resumed"
    got = ids(again)
    assert got == [str(number) for number in range(10 * QUEUE)][-len(got) :]
    assert got, "the newest are there, and the archive has the others"


def read(client: Client) -> list[Element]:
    """What there is to be read now."""
    found = []
    try:
        while True:
            found.append(client.next(0.0))
    except TimeoutError:
        return found
