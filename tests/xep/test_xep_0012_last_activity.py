"""XEP-0012: Last Activity."""

import pytest

from kit import ns
from kit.stanzas import find
from kit.wire import Client
from kit.world import World

QUERY = f"<query xmlns='{ns.LAST}'/>"


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


def last(client: Client, to: str) -> tuple[int, str]:
    query = find(client.get(QUERY, to), "last:query")
    assert query is not None
    return int(query.get("seconds", "-1")), query.text or ""


def test_the_server_tells_since_when_it_runs(world: World, juliet: Client) -> None:
    world.advance(100.0)
    assert last(juliet, "localhost") == (100, "")


def test_contacts_see_since_when_somebody_is_away(world: World, juliet: Client) -> None:
    romeo = world.online("romeo@localhost/orchard")
    world.befriend(juliet, romeo)
    assert last(romeo, juliet.bare) == (0, "")
    street = world.online("juliet@localhost/street")
    street.send("<presence type='unavailable'/>")
    world.advance(10.0)
    assert last(romeo, juliet.bare) == (0, "")
    juliet.send("<presence type='unavailable'><status>to bed</status></presence>")
    world.advance(20.0)
    assert last(romeo, juliet.bare) == (20, "to bed")
    assert last(juliet, juliet.bare) == (20, "to bed")
    world.crash()
    again = world.login("romeo@localhost/orchard")
    assert last(again, juliet.bare)[1] == "to bed"


def test_a_lost_connection_counts_from_when_it_was_lost(world: World, juliet: Client) -> None:
    romeo = world.online("romeo@localhost/orchard")
    world.befriend(juliet, romeo)
    juliet.cut()
    world.advance(60.0)
    assert last(romeo, juliet.bare) == (60, "")


def test_strangers_are_told_nothing(world: World, juliet: Client) -> None:
    paris = world.online("paris@localhost/church")
    assert paris.refused("get", QUERY, juliet.bare) == ("auth", "forbidden")
    assert paris.refused("get", QUERY, "nobody@localhost") == ("cancel", "service-unavailable")


def test_who_never_was_there_has_no_last_time(world: World, juliet: Client) -> None:
    romeo = world.login("romeo@localhost/orchard")
    assert romeo.refused("get", QUERY, romeo.bare) == ("cancel", "item-not-found")
