"""What the archives of accounts keep, and of whom."""

from typing import Any

from fermata.xmpp import namespaces as ns
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"


def archived(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT owner, other, sender, recipient FROM archive ORDER BY seq")


def number(world: World, jid: str) -> int:
    [(found,)] = world.rows(f"SELECT number FROM entity WHERE jid = '{jid}'")
    return int(found)


def enter(client: Client, nick: str) -> None:
    client.send(f"<presence to='{ROOM}/{nick}'><x xmlns='{ns.MUC}'/></presence>")
    client.wait_for(lambda stanza: stanza.tag == "message" and stanza.find("subject") is not None)


def two_in_a_room(world: World) -> tuple[Client, Client]:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    enter(romeo, "Romeo")
    romeo.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='jabber:x:data' type='submit'/></query>", ROOM)
    enter(juliet, "Juliet")
    romeo.sync()
    return romeo, juliet


def test_a_message_between_two_accounts_is_one_row_for_both(world: World) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    romeo.send(f"<message to='{juliet.bare}' type='chat'><body>hi</body></message>")
    juliet.expect("message", "body")
    assert archived(world) == [(number(world, juliet.bare), number(world, romeo.bare), romeo.jid, juliet.bare)]


def test_a_private_message_in_a_room_is_in_the_archives_of_both(world: World) -> None:
    romeo, juliet = two_in_a_room(world)
    romeo.send(f"<message to='{ROOM}/Juliet' type='chat'><body>psst</body></message>")
    message = juliet.wait_for(lambda stanza: stanza.findtext("body") == "psst")
    assert message.find(f"{{{ns.SID}}}stanza-id[@by='{juliet.bare}']") is not None
    romeo.sync()
    assert archived(world) == [
        (number(world, juliet.bare), None, f"{ROOM}/Romeo", juliet.jid),
        (number(world, romeo.bare), None, romeo.jid, f"{ROOM}/Juliet"),
    ]


def test_a_private_message_for_two_sessions_of_one_person_is_kept_once(world: World) -> None:
    romeo, juliet = two_in_a_room(world)
    other = world.online("juliet@localhost/chamber")
    enter(other, "Juliet")
    romeo.send(f"<message to='{ROOM}/Juliet' type='chat'><body>psst</body></message>")
    for client in (juliet, other):
        client.wait_for(lambda stanza: stanza.findtext("body") == "psst")
    owner = number(world, juliet.bare)
    assert [row for row in archived(world) if row[0] == owner] == [(owner, None, f"{ROOM}/Romeo", juliet.jid)]


def test_what_a_room_refuses_is_in_no_archive(world: World) -> None:
    romeo, _ = two_in_a_room(world)
    romeo.send(f"<message to='{ROOM}/Nobody' type='chat'><body>psst</body></message>")
    romeo.expect_error("message", "item-not-found")
    assert archived(world) == []


def test_a_spool_takes_only_so_much(world: World) -> None:
    romeo = world.online("romeo@localhost/orchard")
    world.add_account("nurse@localhost")
    for _ in range(1000):
        romeo.send("<message to='nurse@localhost' type='chat'><body>hi</body></message>")
    romeo.nothing_before()
    romeo.send("<message to='nurse@localhost' type='chat'><body>one too many</body></message>")
    romeo.expect_error("message", "service-unavailable")
    nurse = world.login("nurse@localhost/kitchen")
    nurse.send("<presence/>")
    assert sum(stanza.tag == "message" for stanza in nurse.sync()) == 1000
    world.turn()
    romeo.send("<message to='nurse@localhost' type='chat'><body>again</body></message>")
    nurse.wait_for(lambda stanza: stanza.findtext("body") == "again")
