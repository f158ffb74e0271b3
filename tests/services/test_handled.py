"""What a client is told of its own stanzas (XEP-0198 §4) stays so over a crash: nothing acked is lost or forgotten."""

import pytest

from kit import ns
from kit.stanzas import Element
from kit.wire import Client
from kit.world import World

COMPOSING = f"<message to='juliet@localhost' type='chat'><composing xmlns='{ns.CHAT_STATES}'/></message>"
CHAT = "<message to='juliet@localhost' type='chat'><body>But soft!</body></message>"
PING = f"<iq type='get' id='ping'><ping xmlns='{ns.PING}'/></iq>"
# Accounts and rooms that are not in memory are loaded first, and what is open is committed for that.
STRANGER = "<message to='benvolio@localhost' type='chat'><body>Good morrow!</body></message>"
TOO_LONG = f"<message to='juliet@localhost' type='chat'><body>{'x' * 300_000}</body></message>"


@pytest.fixture
def romeo(world: World) -> Client:
    world.online("juliet@localhost/balcony")
    world.add_account("benvolio@localhost")
    return world.login("romeo@localhost/orchard")


def after_a_crash(world: World, id: str) -> Element:
    """How the server answers the attempt to resume a session."""
    world.crash()
    client = world.authenticated("romeo@localhost")
    return client.resume(id, 0)


@pytest.mark.parametrize(
    "stanzas",
    [
        COMPOSING,
        CHAT + COMPOSING,
        CHAT + PING + COMPOSING,
        COMPOSING + STRANGER + PING,
        CHAT + STRANGER,
        STRANGER + COMPOSING,
        CHAT + TOO_LONG,
    ],
    ids=["unkept", "kept", "answered", "loading", "committed early", "late", "refused"],
)
def test_what_was_acked_is_still_counted_after_a_crash(world: World, romeo: Client, stanzas: str) -> None:
    id = romeo.enable().get("id", "")
    romeo.send(stanzas)
    h = romeo.request_ack()
    assert h == stanzas.count("</message>") + stanzas.count("</iq>")
    assert after_a_crash(world, id).get("h") == str(h)


def test_what_is_kept_is_counted_whether_the_client_asks_or_not(world: World, romeo: Client) -> None:
    id = romeo.enable().get("id", "")
    romeo.send(COMPOSING + CHAT + STRANGER)
    assert after_a_crash(world, id).get("h") == "3"


def test_a_session_that_was_replaced_is_counted_to_its_end(world: World, romeo: Client) -> None:
    id = romeo.enable().get("id", "")
    romeo.send(CHAT + CHAT)
    world.login("romeo@localhost/orchard")
    assert after_a_crash(world, id).get("h") == "2"


def test_a_session_that_cannot_be_resumed_is_acked_all_the_same(world: World, romeo: Client) -> None:
    romeo.enable(resume=False)
    romeo.send(CHAT + COMPOSING)
    assert romeo.request_ack() == 2


def test_how_far_a_session_got_is_forgotten_after_a_week(world: World) -> None:
    juliet = world.login("juliet@localhost/balcony")
    juliet.enable()
    juliet.send("<message to='juliet@localhost' type='chat'><body>note</body></message>")
    juliet.request_ack()
    juliet.close()
    assert world.rows("SELECT count(*) FROM handled") == [(1,)]
    world.skip(6 * 86_400)
    world.advance(3_600)
    assert world.rows("SELECT count(*) FROM handled") == [(1,)]
    world.skip(86_400)
    world.advance(3_600)
    assert world.rows("SELECT count(*) FROM handled") == [(0,)]
