"""What a session had not got, or had not acknowledged, when it came to its end (XEP-0198 §5)."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config
from fermata.xmpp.stamps import stamp_of
from kit import ns
from kit.muc import create, enter
from kit.stanzas import find
from kit.wire import Client
from kit.world import World


@pytest.fixture(params=[True, False], ids=["archive", "no archive"])
def world(request: pytest.FixtureRequest, worlds: Callable[[Config], World]) -> World:
    """With an archive and without: nothing is lost in either."""
    return worlds(Config(archive=Archive(accounts=request.param)))


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def managed(world: World, address: str) -> Client:
    """An available session with stream management."""
    client = world.login(address)
    client.enable()
    client.available()
    return client


def chat(client: Client, to: str, text: str = "hi") -> None:
    client.send(f"<message to='{to}' type='chat' id='m'><body>{text}</body></message>")


def messages(client: Client) -> list[str]:
    """The bodies of what is there to be read."""
    return [stanza.findtext("body", "") for stanza in client.sync() if stanza.tag == "message"]


def test_another_session_gets_what_one_left_unread(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    balcony.cut()
    chat(romeo, balcony.jid)
    chamber = world.online("juliet@localhost/chamber")
    assert messages(chamber) == []
    world.advance(7200)
    assert messages(chamber) == ["hi"]
    romeo.nothing_before()


def test_where_there_is_no_other_it_waits_for_the_next(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    chat(romeo, balcony.bare, "one")
    balcony.cut()
    chat(romeo, balcony.bare, "two")
    world.advance(7200)
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    waited = [stanza for stanza in again.sync() if stanza.tag == "message"]
    assert [stanza.findtext("body") for stanza in waited] == ["one", "two"]
    for stanza in waited:
        delay = find(stanza, "delay:delay")
        assert delay is not None
        assert delay.get("from") == "localhost"
    romeo.nothing_before()


def test_it_waits_for_the_next_even_over_a_crash(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    balcony.cut()
    chat(romeo, balcony.bare)
    world.advance(7200)
    world.crash()
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    assert messages(again) == ["hi"]


def test_its_delay_says_when_it_was_sent(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    balcony.cut()
    sent = world.clock.seconds()
    chat(romeo, balcony.bare)
    world.advance(700)
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    delay = find(again.wait_for(lambda stanza: stanza.tag == "message"), "delay:delay")
    assert delay is not None
    assert stamp_of(delay.get("stamp", "")) == pytest.approx(sent, abs=1)


def test_it_comes_once_to_who_acknowledges_it(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    chat(romeo, balcony.bare, "one")
    balcony.cut()
    world.advance(7200)
    again = managed(world, "juliet@localhost/balcony")
    again.ack()
    again.close()
    assert messages(managed(world, "juliet@localhost/balcony")) == []


def test_what_was_acknowledged_is_not_left_over(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    chat(romeo, balcony.bare)
    assert messages(balcony) == ["hi"]
    balcony.ack()
    balcony.cut()
    world.advance(7200)
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    assert messages(again) == []


def test_what_a_room_said_is_nothing_for_another_session(world: World, romeo: Client) -> None:
    room = "verona@conference.localhost"
    create(romeo, room, "Romeo")
    balcony = managed(world, "juliet@localhost/balcony")
    enter(balcony, room, "Juliet")
    chamber = world.online("juliet@localhost/chamber")
    balcony.cut()
    romeo.send(f"<message to='{room}' type='groupchat'><body>hi</body></message>")
    world.advance(7200)
    assert messages(chamber) == []


def test_a_request_is_refused_and_an_answer_forgotten(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    balcony.cut()
    romeo.send(f"<iq to='{balcony.jid}' type='get' id='p'><ping xmlns='{ns.PING}'/></iq>")
    romeo.send(f"<iq to='{balcony.jid}' type='result' id='r'/>")
    world.advance(7200)
    romeo.expect_error("iq", "service-unavailable", id="p", from_=balcony.jid)
    romeo.nothing_before()


def test_chat_states_are_forgotten(world: World, romeo: Client) -> None:
    balcony = managed(world, "juliet@localhost/balcony")
    balcony.cut()
    romeo.send(f"<message to='{balcony.jid}' type='chat'><composing xmlns='{ns.CHAT_STATES}'/></message>")
    world.advance(7200)
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    assert [stanza for stanza in again.sync() if stanza.tag == "message"] == []


def test_what_several_sessions_were_given_is_not_given_to_one_of_them_again(world: World, romeo: Client) -> None:
    balcony, chamber = managed(world, "juliet@localhost/balcony"), managed(world, "juliet@localhost/chamber")
    hall = world.online("juliet@localhost/hall")
    chat(romeo, "juliet@localhost")
    assert (messages(chamber), messages(hall)) == (["hi"], ["hi"])
    world.login(balcony.jid).close()
    assert (messages(chamber), messages(hall)) == ([], [])


def test_what_the_last_of_several_sessions_left_waits(world: World, romeo: Client) -> None:
    for resource in ("balcony", "chamber"):
        managed(world, f"juliet@localhost/{resource}")
    chat(romeo, "juliet@localhost")
    for resource in ("balcony", "chamber"):
        world.login(f"juliet@localhost/{resource}").close()
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    assert messages(again) == ["hi"]


def test_what_one_of_several_sessions_has_acknowledged_waits_for_nobody(world: World, romeo: Client) -> None:
    balcony, chamber = managed(world, "juliet@localhost/balcony"), managed(world, "juliet@localhost/chamber")
    chat(romeo, "juliet@localhost")
    assert messages(chamber) == ["hi"]
    chamber.ack()
    chamber.close()
    balcony.cut()
    world.advance(7200)
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    assert messages(again) == []


def test_a_private_message_in_a_room_is_left_over_like_any_other(world: World, romeo: Client) -> None:
    room = "verona@conference.localhost"
    create(romeo, room, "Romeo")
    balcony = managed(world, "juliet@localhost/balcony")
    enter(balcony, room, "Juliet")
    romeo.sync()
    balcony.cut()
    chat(romeo, f"{room}/Juliet")
    world.advance(7200)
    again = world.login("juliet@localhost/balcony")
    again.send("<presence/>")
    (message,) = [stanza for stanza in again.sync() if stanza.tag == "message"]
    assert message.get("from") == f"{room}/Romeo"


def test_a_request_for_a_session_that_ends_before_it_is_handed_over_is_refused(world: World, romeo: Client) -> None:
    world.add_account("nurse@localhost")
    juliet = world.online("juliet@localhost/balcony")
    [session] = [session for session in world.parts.sessions if session.jid == juliet.jid]
    world.clock.callLater(0, world.parts.sessions.end, session)
    request = f"<iq to='{juliet.jid}' type='get' id='q'><query xmlns='jabber:iq:last'/></iq>"
    # What is kept of the message holds up what comes behind it, to the end of this turn.
    romeo.send(f"<message to='nurse@localhost' type='chat'><body>wait</body></message>{request}")
    romeo.expect_error("iq", "service-unavailable", id="q")
