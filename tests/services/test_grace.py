"""A connection that is lost without stream management: for half a minute its rooms are told nothing."""

import pytest
from twisted.internet.defer import Deferred

from fermata.host.accounts import Account
from fermata.xmpp.jid import JID
from kit import ns
from kit.muc import create, enter
from kit.stanzas import codes
from kit.wire import Client
from kit.world import World

ROOM = "verona@conference.localhost"


@pytest.fixture
def romeo(world: World) -> Client:
    """He looks on, from the room and as a contact."""
    client = world.online("romeo@localhost/orchard")
    create(client, ROOM, "Romeo")
    return client


@pytest.fixture
def juliet(world: World, romeo: Client) -> Client:
    """She is in the room and in his roster, and will be cut off."""
    client = world.online("juliet@localhost/balcony")
    world.befriend(client, romeo)
    enter(client, ROOM, "Juliet")
    romeo.expect("presence", from_=f"{ROOM}/Juliet")
    return client


def test_contacts_are_told_at_once_and_rooms_after_half_a_minute(world: World, romeo: Client, juliet: Client) -> None:
    juliet.cut()
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    world.advance(29.9)
    romeo.nothing_before()
    world.advance(0.1)
    gone = romeo.expect("presence", type="unavailable", from_=f"{ROOM}/Juliet")
    assert not codes(gone) & {"307", "332", "333"}
    romeo.nothing_before()


def test_the_other_sessions_of_the_account_are_told_once(world: World, romeo: Client, juliet: Client) -> None:
    chamber = world.online("juliet@localhost/chamber")
    juliet.cut()
    world.advance(60)
    chamber.expect("presence", type="unavailable", from_=juliet.jid)
    chamber.nothing_before()


def test_a_session_that_never_was_available_ends_without_a_word(world: World, romeo: Client, juliet: Client) -> None:
    quiet = world.login("juliet@localhost/chamber")
    quiet.cut()
    world.login("juliet@localhost/hall").close()
    world.advance(60)
    juliet.nothing_before()
    romeo.nothing_before()


def test_closing_the_stream_is_leaving(romeo: Client, juliet: Client) -> None:
    juliet.close()
    romeo.expect_all(
        lambda presence: presence.get("from") == juliet.jid and presence.get("type") == "unavailable",
        lambda presence: presence.get("from") == f"{ROOM}/Juliet" and presence.get("type") == "unavailable",
    )


def test_who_comes_back_under_the_same_name_never_left_the_room(world: World, romeo: Client, juliet: Client) -> None:
    juliet.cut()
    world.advance(10)
    again = world.online("juliet@localhost/balcony")
    entry = enter(again, ROOM, "Juliet")
    assert "110" in entry.codes
    world.advance(60)
    noticed = [presence.get("from") for presence in romeo.sync() if presence.get("type") == "unavailable"]
    assert noticed == [juliet.jid], "only the end of the old session, and only to contacts"
    romeo.send(f"<message to='{ROOM}' type='groupchat'><body>hi</body></message>")
    again.expect("message", "body", from_=f"{ROOM}/Romeo")


def test_who_comes_back_under_another_name_is_not_reported_gone(world: World, romeo: Client, juliet: Client) -> None:
    juliet.cut()
    world.advance(10)
    again = world.online("juliet@localhost/chamber")
    enter(again, ROOM, "Juliet")
    world.advance(60)
    romeo.send(f"<message to='{ROOM}' type='groupchat'><body>hi</body></message>")
    again.expect("message", "body", from_=f"{ROOM}/Romeo")
    world.advance(60)
    left = [presence for presence in romeo.sync() if presence.get("type") == "unavailable"]
    assert [presence.get("from") for presence in left] == [juliet.jid]


def test_who_came_back_only_for_a_moment_is_gone_in_the_end(world: World, romeo: Client, juliet: Client) -> None:
    juliet.cut()
    world.advance(10)
    world.online("juliet@localhost/chamber").close()
    world.advance(20)
    assert f"{ROOM}/Juliet" in {presence.get("from") for presence in romeo.sync()}


def test_what_arrives_in_that_time_is_given_to_the_next_session(world: World, romeo: Client, juliet: Client) -> None:
    juliet.cut()
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    romeo.send(f"<message to='{juliet.jid}' type='chat' id='m'><body>art thou there?</body></message>")
    romeo.nothing_before()
    again = world.online("juliet@localhost/chamber")
    world.advance(30)
    message = again.wait_for(lambda stanza: stanza.tag == "message")
    assert message.findtext("body") == "art thou there?"
    assert all(stanza.tag != "message" for stanza in again.sync())


def test_a_request_that_nobody_took_is_refused_in_the_end(world: World, romeo: Client, juliet: Client) -> None:
    juliet.cut()
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    romeo.send(f"<iq to='{juliet.jid}' type='get' id='p'><ping xmlns='{ns.PING}'/></iq>")
    romeo.nothing_before()
    world.advance(30)
    refused = romeo.wait_for(lambda stanza: stanza.tag == "iq" and stanza.get("id") == "p")
    assert refused.get("type") == "error"
    assert refused.get("from") == juliet.jid


def test_a_broken_stream_is_a_lost_connection_and_not_a_goodbye(world: World, romeo: Client, juliet: Client) -> None:
    juliet.send("<message></presence>")
    juliet.expect_stream_error("not-well-formed")
    romeo.expect("presence", type="unavailable", from_=juliet.jid)
    world.advance(20)
    romeo.nothing_before()
    world.advance(10)
    assert f"{ROOM}/Juliet" in {presence.get("from") for presence in romeo.sync()}


def test_the_end_of_the_process_is_told_to_nobody(world: World, romeo: Client, juliet: Client) -> None:
    world.crash()
    again = world.online("romeo@localhost/orchard")
    again.nothing_before()


def test_a_connection_that_is_lost_while_its_account_is_loaded_leaves_no_session(world: World) -> None:
    world.add_account("romeo@localhost")
    romeo = world.authenticated("romeo@localhost")
    loading: Deferred[None] = Deferred()
    load = world.parts.accounts._load

    async def load_slowly(jid: JID) -> Account | None:
        await loading
        return await load(jid)

    world.parts.accounts._load = load_slowly
    romeo.send(f"<iq type='set' id='b'><bind xmlns='{ns.BIND}'><resource>orchard</resource></bind></iq>")
    romeo.cut()
    loading.callback(None)
    world.advance(30)
    assert list(world.parts.sessions) == []
