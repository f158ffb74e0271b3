"""A change that cannot be kept: its author is told, nobody else is, and memory goes back to what is on disk."""

import sqlite3
from contextlib import closing

import pytest

from fermata.xmpp import namespaces as ns
from kit.muc import party
from kit.pubsub import events, items, listen, publish, publishing, refusal
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"


def refuse(world: World, table: str) -> None:
    """From now on the database takes nothing new into that table."""
    with closing(sqlite3.connect(world.file)) as database:
        for event in ("INSERT", "UPDATE"):
            database.execute(
                f"CREATE TRIGGER no_{table}_{event} BEFORE {event} ON {table}"
                " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            )


def accept(world: World, table: str) -> None:
    with closing(sqlite3.connect(world.file)) as database:
        for event in ("INSERT", "UPDATE"):
            database.execute(f"DROP TRIGGER no_{table}_{event}")


def roster_of(client: Client) -> set[str]:
    query = client.get(f"<query xmlns='{ns.ROSTER}'/>").find(f"{{{ns.ROSTER}}}query")
    assert query is not None
    return {item.get("jid", "") for item in query}


def test_a_contact_that_could_not_be_kept_is_not_in_the_roster(world: World) -> None:
    juliet = world.online("juliet@localhost/balcony")
    refuse(world, "roster_item")
    item = f"<query xmlns='{ns.ROSTER}'><item jid='romeo@localhost'/></query>"
    assert juliet.refused("set", item) == ("wait", "internal-server-error")
    assert world.errors()
    assert roster_of(juliet) == set()
    accept(world, "roster_item")
    juliet.set(item)
    assert roster_of(juliet) == {"romeo@localhost"}


def test_a_message_that_a_room_could_not_keep_is_seen_by_nobody_and_everybody_stays(world: World) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    for client, nick in ((romeo, "Romeo"), (juliet, "Juliet")):
        client.send(f"<presence to='{ROOM}/{nick}'><x xmlns='{ns.MUC}'/></presence>")
        if client is romeo:
            romeo.sync()
            romeo.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='jabber:x:data' type='submit'/></query>", ROOM)
        client.sync()
    romeo.sync()
    refuse(world, "archive")
    romeo.send(f"<message to='{ROOM}' type='groupchat' id='lost'><body>lost</body></message>")
    romeo.expect_error("message", "internal-server-error", "wait", id="lost")
    assert world.errors()
    juliet.nothing_before()
    accept(world, "archive")
    romeo.send(f"<message to='{ROOM}' type='groupchat' id='kept'><body>kept</body></message>")
    for client in (romeo, juliet):
        assert client.wait_for(lambda stanza: stanza.tag == "message").findtext("body") == "kept"
    juliet.send(f"<iq type='get' id='p' to='{ROOM}/Juliet'><ping xmlns='{ns.PING}'/></iq>")
    juliet.expect("iq", type="result", id="p")


def test_who_repeats_what_could_not_be_kept_is_not_told_that_it_was_said(world: World) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    party(ROOM, {"Romeo": romeo, "Juliet": juliet})
    refuse(world, "archive")
    said = f"<message to='{ROOM}' type='groupchat' id='lost'><body>lost</body></message>"
    romeo.send(said + said)
    for _ in range(2):
        romeo.expect_error("message", "internal-server-error", "wait", id="lost")
    assert world.errors()
    romeo.nothing_before()
    juliet.nothing_before()
    accept(world, "archive")
    romeo.send(said)
    for client in (romeo, juliet):
        assert client.wait_for(lambda stanza: stanza.tag == "message").findtext("body") == "lost"


def test_preferences_that_could_not_be_kept_are_not_followed(world: World) -> None:
    juliet = world.online("juliet@localhost/balcony")
    refuse(world, "value")
    prefs = f"<prefs xmlns='{ns.MAM}' default='never'/>"
    assert juliet.refused("set", prefs) == ("wait", "internal-server-error")
    assert world.errors()
    told = juliet.get(f"<prefs xmlns='{ns.MAM}'/>").find(f"{{{ns.MAM}}}prefs")
    assert told is not None
    assert told.get("default") == "always"
    juliet.send(f"<message to='{juliet.bare}' type='chat'><body>note</body></message>")
    juliet.expect("message", "body")
    assert world.rows("SELECT count(*) FROM archive") == [(1,)]
    juliet.close()
    assert world.errors(), "when she was last seen is a value as well"


@pytest.mark.parametrize(
    "order",
    [
        f"<query xmlns='{ns.MUC_OWNER}'><destroy/></query>",
        f"<query xmlns='{ns.MUC_ADMIN}'><item nick='Juliet' role='none'/></query>",
        f"<query xmlns='{ns.MUC_ADMIN}'><item jid='juliet@localhost' affiliation='outcast'/></query>",
    ],
    ids=["destroy", "kick", "ban"],
)
def test_who_was_to_be_removed_stays_if_that_could_not_be_kept(world: World, order: str) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    party(ROOM, {"Romeo": romeo, "Juliet": juliet})
    refuse(world, "journal")
    assert romeo.refused("set", order, ROOM) == ("wait", "internal-server-error")
    assert world.errors()
    accept(world, "journal")
    juliet.send(f"<message to='{ROOM}' type='groupchat'><body>still here</body></message>")
    for client in (romeo, juliet):
        assert client.next().findtext("body") == "still here"


def test_who_is_gone_is_not_in_even_if_that_could_not_be_kept(world: World) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    party(ROOM, {"Romeo": romeo, "Juliet": juliet})
    refuse(world, "journal")
    juliet.close()
    assert world.errors()
    accept(world, "journal")
    romeo.send(f"<message to='{ROOM}' type='groupchat'><body>alone</body></message>")
    assert romeo.expect("message").findtext("body") == "alone"
    [room] = world.parts.room_services[0].rooms
    assert room.rules.occupants.everyone == (romeo.jid,)
    assert world.rows("SELECT jid FROM occupancy") == [(romeo.jid,)], "she would be back after a crash"


@pytest.mark.parametrize("to", ["romeo@localhost", "pubsub.localhost"])
def test_an_item_that_could_not_be_kept_is_told_to_nobody_and_is_not_there(world: World, to: str) -> None:
    romeo = world.online("romeo@localhost/orchard")
    listen(romeo, "urn:example")
    publish(romeo, "urn:example", id="1", to=to)
    events(romeo)
    refuse(world, "item")
    request = publishing("urn:example", id="2")
    assert refusal(romeo, "set", request, to) == ("wait", "internal-server-error", "")
    assert world.errors()
    assert events(romeo) == []
    assert list(items(romeo, "urn:example", to)) == ["1"]
    accept(world, "item")
    publish(romeo, "urn:example", id="3", to=to)
    assert list(items(romeo, "urn:example", to)) in (["3"], ["1", "3"])
