"""Messages for an account that is not there (XEP-0160), until a client has them for certain."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config
from fermata.xmpp.stamps import stamp_of
from kit.stanzas import find
from kit.wire import Client
from kit.world import World

BEFORE_TWO = 2  # stanzas that a managed session has when it has its own presence and the first message


@pytest.fixture(params=[True, False], ids=["archive", "no archive"])
def world(request: pytest.FixtureRequest, worlds: Callable[[Config], World]) -> World:
    made = worlds(Config(archive=Archive(accounts=request.param)))
    made.add_account("juliet@localhost")
    return made


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def chat(client: Client, *texts: str, type: str = "chat") -> None:
    for text in texts:
        client.send(f"<message to='juliet@localhost' type='{type}' id='{text}'><body>{text}</body></message>")


def come(world: World, presence: str = "<presence/>", managed: bool = False) -> Client:
    """Juliet logs in and says that she is there."""
    client = world.login("juliet@localhost/balcony")
    if managed:
        client.enable()
    client.send(presence)
    return client


def messages(client: Client) -> list[str]:
    return [stanza.findtext("body", "") for stanza in client.sync() if stanza.tag == "message"]


def test_they_come_in_order_with_the_time_at_which_they_were_sent(world: World, romeo: Client) -> None:
    sent = world.clock.seconds()
    chat(romeo, "one", "two")
    romeo.nothing_before()
    world.advance(100)
    juliet = come(world)
    for text in ("one", "two"):
        message = juliet.wait_for(lambda stanza: stanza.tag == "message")
        assert message.findtext("body") == text
        assert message.get("from") == romeo.jid
        delay = find(message, "delay:delay")
        assert delay is not None
        assert delay.get("from") == "localhost"
        assert stamp_of(delay.get("stamp", "")) == pytest.approx(sent, abs=1)


def test_they_come_once(world: World, romeo: Client) -> None:
    chat(romeo, "one")
    juliet = come(world)
    assert messages(juliet) == ["one"]
    juliet.close()
    assert messages(come(world)) == []


def test_they_outlive_the_process(world: World, romeo: Client) -> None:
    chat(romeo, "one")
    world.crash()
    assert messages(come(world)) == ["one"]


def test_a_client_that_dies_before_it_has_acknowledged_them_gets_them_again(world: World, romeo: Client) -> None:
    chat(romeo, "one", "two")
    first = come(world, managed=True)
    assert messages(first) == ["one", "two"]
    first.ack(BEFORE_TWO)
    first.cut()
    world.advance(7201)
    assert messages(come(world, managed=True)) == ["two"]


def test_so_does_one_that_dies_together_with_the_server(world: World, romeo: Client) -> None:
    chat(romeo, "one", "two")
    first = come(world, managed=True)
    assert messages(first) == ["one", "two"]
    first.ack(BEFORE_TWO)
    world.crash()
    assert messages(come(world, managed=True)) == ["two"]


def test_a_session_that_is_resumed_gets_them_once(world: World, romeo: Client) -> None:
    chat(romeo, "one", "two")
    first = world.login("juliet@localhost/balcony")
    id = first.enable().get("id", "")
    first.send("<presence/>")
    assert messages(first) == ["one", "two"]
    first.cut()
    again = world.authenticated("juliet@localhost")
    again.resume(id, BEFORE_TWO)
    assert messages(again) == ["two"]
    again.ack()
    again.close()
    assert messages(come(world)) == []


def test_what_is_under_way_to_one_session_does_not_go_to_a_second(world: World, romeo: Client) -> None:
    chat(romeo, "one")
    first = come(world, managed=True)
    second = world.login("juliet@localhost/chamber")
    second.send("<presence/>")
    assert messages(second) == []
    assert messages(first) == ["one"]


def test_a_session_that_comes_and_goes_before_it_has_acknowledged_them_gets_them_once(
    world: World, romeo: Client
) -> None:
    chat(romeo, "one")
    juliet = world.login("juliet@localhost/balcony")
    juliet.enable()
    juliet.transparent = True
    for presence in ("<presence/>", "<presence type='unavailable'/>", "<presence/>"):
        juliet.send(presence)
    assert messages(juliet) == ["one"]


def test_a_session_that_wants_no_messages_gets_none(world: World, romeo: Client) -> None:
    chat(romeo, "one")
    juliet = come(world, "<presence><priority>-1</priority></presence>")
    assert messages(juliet) == []
    chat(romeo, "two")
    assert messages(juliet) == []
    juliet.send("<presence/>")
    assert messages(juliet) == ["one", "two"]


@pytest.mark.parametrize("type", ["headline", "error"])
def test_some_are_not_worth_keeping(world: World, romeo: Client, type: str) -> None:
    chat(romeo, "one", type=type)
    romeo.nothing_before()
    assert messages(come(world)) == []


def test_groupchat_is_refused(world: World, romeo: Client) -> None:
    chat(romeo, "one", type="groupchat")
    romeo.expect_error("message", "service-unavailable", id="one")


def test_the_sender_may_ask_that_it_is_not_kept(world: World, romeo: Client) -> None:
    romeo.send(
        "<message to='juliet@localhost' type='chat'><body>hush</body><no-store xmlns='urn:xmpp:hints'/></message>"
    )
    romeo.expect_error("message", "service-unavailable")
    assert messages(come(world)) == []


def test_a_sender_who_was_told_that_it_was_handled_can_rely_on_it(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), come(world, managed=True)
    juliet.sync()
    romeo.enable()
    chat(romeo, "one")
    assert romeo.request_ack() == 1
    world.crash()
    again = come(world)
    kept = messages(again)
    # Without an archive only the spool can have it; with one, it is there to be asked for.
    assert kept == ["one"] or world.database.archive is not None


def test_no_more_waits_than_a_client_can_take_at_once(world: World, romeo: Client) -> None:
    long = "x" * 250_000
    for number in range(30):
        romeo.send(f"<message to='juliet@localhost' type='chat' id='{number}'><body>{long}</body></message>")
    refused = [stanza.get("id") for stanza in romeo.sync()]
    assert refused
    assert refused == [str(number) for number in range(30 - len(refused), 30)]
    juliet = come(world, managed=True)
    assert len(messages(juliet)) == 30 - len(refused)
    juliet.ack()
    juliet.cut()
    world.advance(7200)
    chat(romeo, "later")
    assert messages(come(world)) == ["later"]


def test_a_message_that_several_clients_have_got_makes_room_for_one(world: World, romeo: Client) -> None:
    clients = [world.login(f"juliet@localhost/{name}") for name in ("balcony", "chamber")]
    for client in clients:
        client.enable()
        client.available()
    secret = "<no-permanent-store xmlns='urn:xmpp:hints'/>"
    for number in range(10):
        romeo.send(f"<message to='juliet@localhost' type='chat'><body>{number}</body>{secret}</message>")
    accounts = {each.jid: each for each in world.parts.accounts}
    for client in clients:
        client.sync()
        client.ack()
    assert accounts["juliet@localhost"].spooled == {}
    assert world.rows("SELECT count(*) FROM spool") == [(0,)]
