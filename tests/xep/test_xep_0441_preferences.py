"""XEP-0441: Message Archive Management Preferences, each account for itself."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config
from kit import ns
from kit.archives import bodies, page, query
from kit.stanzas import Element, find, find_all
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"


def prefs(default: str, *, always: str = "", never: str = "") -> str:
    def listed(jid: str) -> str:
        return f"<jid>{jid}</jid>" if jid else ""

    lists = f"<always>{listed(always)}</always><never>{listed(never)}</never>"
    return f"<prefs xmlns='{ns.MAM}' default='{default}'>{lists}</prefs>"


ASK = f"<prefs xmlns='{ns.MAM}'/>"


def told(reply: Element) -> tuple[str | None, list[str | None], list[str | None]]:
    found = find(reply, "mam:prefs")
    assert found is not None
    always, never = ([jid.text for jid in find_all(found, f"mam:{name}/mam:jid")] for name in ("always", "never"))
    return found.get("default"), always, never


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


def said(client: Client, to: str, word: str) -> None:
    client.send(f"<message to='{to}' type='chat'><body>{word}</body></message>")
    client.sync()


def kept(client: Client) -> list[str]:
    client.sync()
    return bodies(page(client, query()))


def test_all_is_kept_until_the_account_wants_it_otherwise(romeo: Client) -> None:
    assert told(romeo.get(ASK)) == ("always", [], [])
    assert told(romeo.set(prefs("roster", never="paris@localhost"))) == ("roster", [], ["paris@localhost"])
    assert told(romeo.get(ASK)) == ("roster", [], ["paris@localhost"])


def test_preferences_are_there_after_a_crash(world: World, romeo: Client) -> None:
    romeo.set(prefs("never", always="juliet@localhost/balcony"))
    world.crash()
    assert told(world.login("romeo@localhost/orchard").get(ASK)) == ("never", ["juliet@localhost/balcony"], [])


def test_each_account_decides_for_its_own_archive(world: World, romeo: Client, juliet: Client) -> None:
    romeo.set(prefs("never"))
    said(romeo, juliet.bare, "a")
    said(juliet, romeo.bare, "b")
    assert (kept(romeo), kept(juliet)) == ([], ["a", "b"])
    assert world.rows("SELECT other FROM archive") == [(None,), (None,)]
    romeo.set(prefs("always"))
    juliet.set(prefs("never", never=romeo.bare))
    said(romeo, juliet.bare, "c")
    said(juliet, romeo.bare, "d")
    assert (kept(romeo), kept(juliet)) == (["c", "d"], ["a", "b"])
    juliet.set(prefs("always"))
    said(romeo, juliet.bare, "e")
    romeo.set(prefs("never"))
    juliet.set(prefs("never"))
    said(romeo, juliet.bare, "f")
    assert (kept(romeo), kept(juliet)) == (["c", "d", "e"], ["a", "b", "e"])
    assert len(world.rows("SELECT seq FROM archive")) == 5


def test_what_is_not_kept_has_no_id_and_arrives_all_the_same(romeo: Client, juliet: Client) -> None:
    juliet.set(prefs("never"))
    said(romeo, juliet.bare, "a")
    message = juliet.expect("message", "body")
    assert find(message, "sid:stanza-id") is None


def test_the_roster_says_whose_messages_are_kept(world: World, romeo: Client, juliet: Client) -> None:
    romeo.set(prefs("roster"))
    said(romeo, juliet.bare, "a")
    said(romeo, romeo.bare, "note")
    assert kept(romeo) == ["note"]
    romeo.set(f"<query xmlns='{ns.ROSTER}'><item jid='{juliet.bare}'/></query>")
    said(juliet, romeo.jid, "b")
    said(romeo, juliet.jid, "c")
    assert kept(romeo) == ["note", "b", "c"]


def test_what_is_for_somebody_offline_waits_for_him_though_it_is_not_kept(world: World, romeo: Client) -> None:
    juliet = world.login("juliet@localhost/balcony")
    juliet.set(prefs("never"))
    juliet.close()
    said(romeo, juliet.bare, "a")
    assert kept(romeo) == ["a"]
    juliet = world.login("juliet@localhost/balcony")
    juliet.send("<presence/>")
    juliet.wait_for(lambda stanza: stanza.findtext("body") == "a")
    assert kept(juliet) == []


def test_what_a_counting_client_was_told_to_have_arrived_is_safe_though_it_is_not_kept(
    world: World, juliet: Client
) -> None:
    juliet.set(prefs("never"))
    romeo = world.login("romeo@localhost/orchard")
    romeo.set(prefs("never"))
    romeo.transparent = True
    romeo.send(f"<enable xmlns='{ns.SM}'/>")
    romeo.next()
    juliet.link.close()
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>a</body></message><r xmlns='{ns.SM}'/>")
    romeo.expect("sm:a", h="1")
    world.crash()
    juliet = world.login("juliet@localhost/later")
    juliet.send("<presence/>")
    juliet.wait_for(lambda stanza: stanza.findtext("body") == "a")


def test_what_could_not_be_read_is_refused_and_changes_nothing(romeo: Client) -> None:
    romeo.set(prefs("roster"))
    assert romeo.refused("set", prefs("perhaps")) == ("modify", "bad-request")
    assert told(romeo.get(ASK))[0] == "roster"


def test_nobody_sees_or_changes_those_of_another(romeo: Client, juliet: Client) -> None:
    for type, payload in (("get", ASK), ("set", prefs("never"))):
        assert romeo.refused(type, payload, juliet.bare) == ("cancel", "service-unavailable")
    assert told(juliet.get(ASK)) == ("always", [], [])


def test_without_archives_there_is_nothing_to_prefer(worlds: Callable[[Config], World]) -> None:
    romeo = worlds(Config(archive=Archive(accounts=False))).login("romeo@localhost/orchard")
    assert romeo.refused("get", ASK) == ("cancel", "service-unavailable")
