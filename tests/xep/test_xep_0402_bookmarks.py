"""XEP-0402: bookmarks, and the same for clients that know older ways to ask for them (XEP-0048, XEP-0049)."""

from typing import Any

import pytest

from fermata.host.accounts import Account
from fermata.services.bookmarks import BookmarkChange, Bookmarks
from fermata.xmpp.jid import JID
from kit import ns
from kit.pubsub import configuration, create, events, items, listen, publish, publishing, pubsub, refusal, retract
from kit.stanzas import Element, find_all
from kit.wire import Client
from kit.world import World

NEW, OLD = "urn:xmpp:bookmarks:1", "storage:bookmarks"
TEA = "tea@rooms.example"
OPTIONS = {
    "persist_items": "true",
    "max_items": "max",
    "send_last_published_item": "never",
    "access_model": "whitelist",
}
GET = f"<query xmlns='{ns.PRIVATE}'><storage xmlns='{OLD}'/></query>"


def conference(attributes: str = "autojoin='true'", content: str = "<nick>JC</nick>") -> str:
    return f"<conference xmlns='{NEW}' {attributes}>{content}</conference>"


def storage(*conferences: str) -> str:
    return f"<storage xmlns='{OLD}'>{''.join(conferences)}</storage>"


def private(*conferences: str) -> str:
    return f"<query xmlns='{ns.PRIVATE}'>{storage(*conferences)}</query>"


def rooms(stanza: Element) -> dict[str, str]:
    """The rooms of an old list, and whether they have autojoin."""
    found = [each for each in stanza.iter() if each.tag == f"{{{OLD}}}conference"]
    return {each.get("jid", ""): each.get("autojoin", "") for each in found}


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


@pytest.fixture
def changes(world: World) -> list[BookmarkChange]:
    """What the server itself is told of Juliet's bookmarks."""
    heard: list[BookmarkChange] = []

    def told(account: Account, change: BookmarkChange) -> None:
        assert account.jid == "juliet@localhost"
        heard.append(change)

    world.parts.services[Bookmarks].on_change.append(told)
    return heard


def known(world: World) -> dict[JID, Any]:
    """Juliet's bookmarks, as the server itself knows them."""
    account = world.do(world.parts.accounts.fetch(JID.parse("juliet@localhost")))
    assert account is not None
    return world.do(world.parts.services[Bookmarks].of(account))


def test_a_bookmark_is_published_with_its_options_and_found_again(world: World, juliet: Client) -> None:
    publish(juliet, NEW, conference(), TEA, **OPTIONS)
    publish(juliet, NEW, conference("name='Other'", ""), "other@rooms.example", **OPTIONS)
    world.crash()
    juliet = world.login("juliet@localhost/balcony")
    assert list(items(juliet, NEW)) == [TEA, "other@rooms.example"]
    found = known(world)
    assert (found[TEA].autojoin, found[TEA].nick) == (True, "JC")  # type: ignore[index]
    assert found["other@rooms.example"].name == "Other"  # type: ignore[index]


def test_one_without_options_is_as_private_and_loses_no_other(world: World, juliet: Client) -> None:
    for number in range(3):
        publish(juliet, NEW, conference(), f"r{number}@rooms.example")
    assert len(items(juliet, NEW)) == 3
    assert configuration(juliet, NEW)["access_model"] == ["whitelist"]
    romeo = world.online("romeo@localhost/orchard")
    world.befriend(juliet, romeo)
    assert listen(romeo, NEW) == []
    publish(juliet, NEW, conference(), TEA)
    assert events(romeo) == []
    for node in (NEW, OLD):
        request = pubsub(f"<items node='{node}'/>")
        assert refusal(romeo, "get", request, juliet.bare) == ("cancel", "not-allowed", "closed-node")


def test_other_clients_of_the_account_hear_of_each_change(world: World, juliet: Client) -> None:
    phone = world.login("juliet@localhost/phone")
    listen(phone, NEW)
    publish(juliet, NEW, conference(), TEA)
    retract(juliet, NEW, TEA, notify="true")
    assert [(told.kind, told.ids) for told in events(phone)] == [("items", [TEA]), ("retract", [TEA])]


# The older ways


def test_all_three_ways_show_one_list(juliet: Client) -> None:
    publish(juliet, NEW, conference(), TEA)
    juliet.set(private(f"<conference jid='{TEA}' autojoin='1'><nick>JC</nick></conference>", "<conference jid='a@b'/>"))
    assert rooms(juliet.get(GET)) == {TEA: "true", "a@b": "false"}
    assert list(items(juliet, NEW)) == [TEA, "a@b"]
    both = storage(f"<conference jid='{TEA}' autojoin='1'><nick>JC</nick></conference>", "<conference jid='c@d'/>")
    publish(juliet, OLD, both, "current", access_model="whitelist")
    assert list(items(juliet, NEW)) == [TEA, "c@d"]
    assert rooms(juliet.get(GET)) == rooms(juliet.get(pubsub(f"<items node='{OLD}'/>")))
    assert list(items(juliet, OLD)) == ["current"]


@pytest.mark.parametrize("way", ["private", "pubsub"])
def test_unchanged_rooms_make_no_noise_and_keep_what_the_list_cannot_say(
    world: World, juliet: Client, changes: list[BookmarkChange], way: str
) -> None:
    extensions = "<extensions><state xmlns='urn:example'/></extensions>"
    publish(juliet, NEW, conference("autojoin='true'", f"<nick>JC</nick>{extensions}"), TEA)
    changes.clear()
    phone = world.login("juliet@localhost/phone")
    listen(phone, NEW)
    written = [f"<conference jid='{TEA}' autojoin='1'><nick>JC</nick></conference>", "<conference jid='a@b'/>"]
    if way == "private":
        juliet.set(private(*written))
    else:
        publish(juliet, OLD, storage(*written))
    assert [told.ids for told in events(phone)] == [["a@b"]]
    assert [(change.room, change.grace) for change in changes] == [("a@b", 0.0)]
    payload = items(juliet, NEW)[TEA]
    assert payload is not None
    assert find_all(payload, f"{{{NEW}}}extensions/{{urn:example}}state")


def test_clients_that_know_the_list_alone_hear_of_changes(world: World, juliet: Client) -> None:
    phone = world.login("juliet@localhost/phone")
    listen(phone, OLD)
    publish(juliet, NEW, conference(), TEA)
    juliet.set(private(f"<conference jid='{TEA}'/>", "<conference jid='a@b' autojoin='1'/>"))
    told = events(phone)
    assert [each.node for each in told] == [OLD, OLD]
    assert rooms(told[0].message) == {TEA: "true"}
    assert rooms(told[1].message) == {TEA: "false", "a@b": "true"}


def test_what_else_is_in_the_list_stays_in_it(world: World, juliet: Client) -> None:
    page = "<url name='A page' url='http://x.example/'/>"
    juliet.set(private(page, "<conference jid='a@b'/>"))
    retract(juliet, NEW, "a@b")
    world.crash()
    juliet = world.login("juliet@localhost/balcony")
    assert find_all(juliet.get(GET), f"private:query/{{{OLD}}}storage/{{{OLD}}}url[@name='A page']")
    juliet.set(private())
    assert not list(juliet.get(GET)[0][0])


def test_a_list_kept_with_other_private_xml_is_still_the_list(juliet: Client) -> None:
    both = "<x xmlns='urn:example'>1</x>" + storage("<conference jid='a@b'/>")
    juliet.set(f"<query xmlns='{ns.PRIVATE}'>{both}</query>")
    assert list(items(juliet, NEW)) == ["a@b"]
    kept = juliet.get(f"<query xmlns='{ns.PRIVATE}'><x xmlns='urn:example'/></query>")
    assert kept[0][0].text == "1"


def test_there_is_no_list_where_there_are_no_bookmarks(juliet: Client) -> None:
    assert rooms(juliet.get(GET)) == {}
    assert refusal(juliet, "get", pubsub(f"<items node='{OLD}'/>")) == ("cancel", "item-not-found", "")
    create(juliet, OLD)
    assert items(juliet, OLD) == {}


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        ("<x xmlns='urn:example'/>", ("modify", "bad-request", "invalid-payload")),
        ("", ("modify", "bad-request", "invalid-payload")),
    ],
)
def test_what_is_no_list_is_refused(juliet: Client, payload: str, wanted: tuple[str, str, str]) -> None:
    publish(juliet, NEW, conference(), TEA)
    assert refusal(juliet, "set", publishing(OLD, payload)) == wanted
    assert list(items(juliet, NEW)) == [TEA]


def test_a_list_that_would_be_open_to_others_is_refused(juliet: Client) -> None:
    publish(juliet, OLD, storage("<conference jid='a@b'/>"), access_model="whitelist")
    wrong = publishing(OLD, storage(), access_model="open")
    assert refusal(juliet, "set", wrong) == ("cancel", "conflict", "precondition-not-met")
    assert list(items(juliet, NEW)) == ["a@b"]


# What the server itself wants to know


def test_the_server_is_told_of_every_change(world: World, juliet: Client, changes: list[BookmarkChange]) -> None:
    publish(juliet, NEW, conference(), "Tea@Rooms.Example")
    publish(juliet, NEW, conference("autojoin='false'"), "Tea@Rooms.Example")
    retract(juliet, NEW, "Tea@Rooms.Example")
    publish(juliet, NEW, "<x xmlns='urn:example'/>", "settings")
    told = [(change.room, change.bookmark and change.bookmark.autojoin) for change in changes]
    assert told == [(TEA, True), (TEA, False), (TEA, None)]
    assert known(world) == {}


@pytest.mark.parametrize("request_", ["purge", "delete"])
def test_so_it_is_of_the_end_of_all(juliet: Client, changes: list[BookmarkChange], request_: str) -> None:
    publish(juliet, NEW, conference(), TEA)
    juliet.set(pubsub(f"<{request_} node='{NEW}'/>", owner=True))
    assert changes[1:] == [BookmarkChange(JID.parse(TEA), None)]


def test_an_old_client_that_ends_every_autojoin_leaves_time_to_mend_it(
    juliet: Client, changes: list[BookmarkChange]
) -> None:
    for number in range(5):
        publish(juliet, NEW, conference(), f"r{number}@rooms.example")
    changes.clear()
    written = [f"<conference jid='r{number}@rooms.example' autojoin='0'/>" for number in range(5)]
    juliet.set(private(*written))
    assert [(change.bookmark and change.bookmark.autojoin, change.grace) for change in changes] == [(False, 600.0)] * 5
    changes.clear()
    publish(juliet, NEW, conference("autojoin='false'"), "r0@rooms.example")
    assert [change.grace for change in changes] == [0.0]


def test_one_that_knows_no_autojoin_ends_none(juliet: Client, changes: list[BookmarkChange]) -> None:
    for number in range(5):
        publish(juliet, NEW, conference(content=""), f"r{number}@rooms.example")
    changes.clear()
    juliet.set(private(*(f"<conference jid='r{number}@rooms.example'/>" for number in range(5))))
    assert changes == []
    assert set(rooms(juliet.get(GET)).values()) == {"true"}
