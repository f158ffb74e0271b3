"""Two servers that federate, and the disk of one of them is full: what could not be saved, nobody has seen."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from kit.crash.neighbours import GUESTS, HOST, ROOM, ann_and_bob_at_home, both_in_the_room, neighbours
from kit.full_disk import no_file_longer_than
from kit.server import Server
from kit.stanzas import Element, error
from kit.wire import Client


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    with ann_and_bob_at_home(neighbours(tmp_path_factory.mktemp("full"))) as both:
        yield both


@pytest.fixture
def people(servers: dict[str, Server]) -> Iterator[tuple[Client, Client]]:
    """Ann is at home where the room is, Bob on the other server; both are in the room."""
    ann, bob = both_in_the_room(servers)
    yield ann, bob
    for client in (bob, ann):
        client.send(f"<presence type='unavailable' to='{ROOM}/{client.jid.partition('@')[0]}'/>")
        client.wait_for(lambda stanza: stanza.get("type") == "unavailable")
        client.close()


def say(client: Client, body: str, to: str = ROOM) -> None:
    type = "groupchat" if to == ROOM else "chat"
    client.send(f"<message to='{to}' type='{type}' id='{body}'><body>{body}</body></message>")


def until(client: Client, body: str) -> list[Element]:
    """What comes up to that message, and that it comes."""
    came: list[Element] = []
    while not came or (came[-1].findtext("body"), came[-1].get("type")) not in ((body, "chat"), (body, "groupchat")):
        came.append(client.next())
    return came


def kept(server: Server, body: str) -> int:
    with closing(sqlite3.connect(f"file:{server.directory}/var/fermata.db?mode=ro", uri=True)) as database:
        ((count,),) = database.execute("SELECT count(*) FROM archive WHERE xml LIKE ?", (f"%<body>{body}</body>%",))
    return int(count)


def refused(client: Client, id: str) -> tuple[str, str]:
    return error(client.wait_for(lambda stanza: stanza.get("type") == "error" and stanza.get("id") == id))


def process(server: Server) -> int:
    assert server.process is not None
    return server.process.pid


def test_what_the_server_of_a_room_could_not_save_its_author_is_told_and_nobody_sees(
    servers: dict[str, Server], people: tuple[Client, Client]
) -> None:
    ann, bob = people
    with no_file_longer_than(0, process(servers[HOST])):
        for number in range(3):
            say(bob, f"lost-from-afar-{number}")
            say(ann, f"lost-{number}")
            assert refused(bob, f"lost-from-afar-{number}") == ("wait", "internal-server-error")
            assert refused(ann, f"lost-{number}") == ("wait", "internal-server-error")
        say(bob, "lost-between-us", f"ann@{HOST}")
        assert refused(bob, "lost-between-us") == ("wait", "internal-server-error")
    for author, body in ((bob, "space"), (ann, "again")):
        say(author, body)
        for client in people:
            came = until(client, body)
            assert [each.findtext("body") for each in came if each.tag == "message"] == [body]
            assert not [each for each in came if each.get("type") == "unavailable"]
    say(bob, "between-us", f"ann@{HOST}")
    until(ann, "between-us")
    assert kept(servers[HOST], "space") == kept(servers[HOST], "again") == kept(servers[HOST], "between-us") == 1
    assert kept(servers[HOST], "lost%") == 0


def test_what_was_refused_may_be_sent_again_under_its_id(
    servers: dict[str, Server], people: tuple[Client, Client]
) -> None:
    ann, bob = people
    with no_file_longer_than(0, process(servers[HOST])):
        say(bob, "again-to-ann", f"ann@{HOST}")
        assert refused(bob, "again-to-ann") == ("wait", "internal-server-error")
        say(bob, "again-to-all")
        assert refused(bob, "again-to-all") == ("wait", "internal-server-error")
    say(bob, "again-to-ann", f"ann@{HOST}")
    until(ann, "again-to-ann")
    say(bob, "again-to-all")
    until(ann, "again-to-all")
    assert kept(servers[HOST], "again-to-ann") == kept(servers[HOST], "again-to-all") == 1


def test_what_his_own_server_could_not_save_does_not_leave_it(
    servers: dict[str, Server], people: tuple[Client, Client]
) -> None:
    ann, bob = people
    with no_file_longer_than(0, process(servers[GUESTS])):
        say(bob, "never-left")
        assert refused(bob, "never-left") == ("wait", "internal-server-error")
        say(bob, "never-left-either", f"ann@{HOST}")
        assert refused(bob, "never-left-either") == ("wait", "internal-server-error")
        say(ann, "still-heard")
        until(bob, "still-heard")
    say(bob, "space-here")
    came = until(ann, "space-here")
    assert [each.findtext("body") for each in came if each.tag == "message"] == ["still-heard", "space-here"]
    assert kept(servers[HOST], "never%") == 0
