"""Roster versioning from one session to the next (RFC 6121 §2.6)."""

import pytest

from kit import ns
from kit.stanzas import Element, find, find_all
from kit.wire import Client
from kit.world import World


def add(client: Client, jid: str, name: str) -> None:
    client.set(f"<query xmlns='{ns.ROSTER}'><item jid='{jid}' name='{name}'/></query>")


def get(client: Client, version: str) -> Element | None:
    """The roster that answers; None where only pushes follow."""
    return find(client.get(f"<query xmlns='{ns.ROSTER}' ver='{version}'/>"), "roster:query")


def pushes(client: Client) -> list[tuple[str, str, str]]:
    """(version, JID, subscription) of each push that is there to be read."""
    found = []
    for stanza in client.sync():
        (item,) = find_all(stanza, "roster:query/roster:item")
        query = find(stanza, "roster:query")
        assert query is not None
        found.append((query.get("ver", ""), item.get("jid", ""), item.get("subscription", "")))
    return found


@pytest.fixture
def version(world: World) -> str:
    """Juliet has three contacts, and left with the roster of that version."""
    juliet = world.login("juliet@localhost/balcony")
    for name in ("romeo", "nurse", "tybalt"):
        add(juliet, f"{name}@localhost", name)
    roster = get(juliet, "")
    assert roster is not None
    juliet.close()
    return roster.get("ver", "")


@pytest.fixture
def juliet(world: World, version: str) -> Client:
    return world.login("juliet@localhost/chamber")


def test_the_feature_is_offered(juliet: Client) -> None:
    assert find(juliet.features, "rosterver:ver") is not None


def test_a_client_that_knows_no_version_gets_everything_and_the_version(juliet: Client, version: str) -> None:
    roster = get(juliet, "")
    assert roster is not None
    assert len(roster) == 3
    assert roster.get("ver") == version


def test_a_client_that_does_not_ask_for_versions_is_told_none(juliet: Client) -> None:
    roster = find(juliet.get(f"<query xmlns='{ns.ROSTER}'/>"), "roster:query")
    assert roster is not None
    assert roster.get("ver") is None


def test_nothing_is_said_where_nothing_has_changed(world: World, juliet: Client, version: str) -> None:
    assert get(juliet, version) is None
    assert pushes(juliet) == []
    world.crash()
    again = world.login("juliet@localhost/balcony")
    assert get(again, version) is None
    assert pushes(again) == []


def test_changes_follow_as_pushes_in_their_order(world: World, juliet: Client, version: str) -> None:
    add(juliet, "paris@localhost", "Paris")
    juliet.set(f"<query xmlns='{ns.ROSTER}'><item jid='tybalt@localhost' subscription='remove'/></query>")
    again = world.login("juliet@localhost/balcony")
    assert get(again, version) is None
    told = pushes(again)
    assert [(jid, subscription) for _, jid, subscription in told] == [
        ("paris@localhost", "none"),
        ("tybalt@localhost", "remove"),
    ]
    assert get(again, told[-1][0]) is None
    assert pushes(again) == []


def test_changes_are_told_after_a_crash_as_well(world: World, juliet: Client, version: str) -> None:
    juliet.set(f"<query xmlns='{ns.ROSTER}'><item jid='tybalt@localhost' subscription='remove'/></query>")
    world.crash()
    again = world.login("juliet@localhost/balcony")
    assert get(again, version) is None
    assert [(jid, subscription) for _, jid, subscription in pushes(again)] == [("tybalt@localhost", "remove")]


@pytest.mark.parametrize("unknown", ["99999", "x", "-1", "0x1"])
def test_a_version_that_there_never_was_gets_everything(juliet: Client, version: str, unknown: str) -> None:
    roster = get(juliet, unknown)
    assert roster is not None
    assert (len(roster), roster.get("ver")) == (3, version)


def test_pushes_carry_versions_that_only_grow(juliet: Client, version: str) -> None:
    get(juliet, version)
    for name in ("paris", "rosaline", "paris"):
        add(juliet, f"{name}@localhost", name)
    versions = [int(told) for told, _, _ in pushes(juliet)]
    assert versions == sorted({*versions})
    assert versions[0] > int(version)


def test_a_subscription_changes_the_version(world: World, juliet: Client, version: str) -> None:
    world.add_account("romeo@localhost")
    get(juliet, version)
    juliet.send("<presence to='romeo@localhost' type='subscribe'/>")
    ((changed, jid, _),) = pushes(juliet)
    assert jid == "romeo@localhost"
    assert int(changed) > int(version)
