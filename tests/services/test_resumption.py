"""Stream management from one connection to the next (XEP-0198 §5)."""

import pytest

from kit import ns
from kit.muc import create, enter
from kit.stanzas import Element, find
from kit.wire import Client
from kit.world import World

ROOM = "verona@conference.localhost"


@pytest.fixture
def romeo(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


class Managed:
    """A session with stream management, from one connection to the next."""

    def __init__(self, world: World, address: str) -> None:
        self.world = world
        self.client = world.login(address)
        self.enabled = self.client.enable()
        self.id = self.enabled.get("id", "")
        self.client.available()

    def cut(self) -> None:
        """Loses the connection."""
        self.client.cut()

    def again(self, h: int | None = None) -> Element:
        """Resumes on a new connection, and returns the answer."""
        before, self.client = self.client, self.world.authenticated(self.client.jid.partition("/")[0])
        self.client.jid = before.jid
        return self.client.resume(self.id, before.handled if h is None else h)


@pytest.fixture
def juliet(world: World, romeo: Client) -> Managed:
    managed = Managed(world, "juliet@localhost/balcony")
    world.befriend(managed.client, romeo)
    managed.client.ack()
    return managed


def say(client: Client, to: str, *texts: str) -> None:
    for text in texts:
        client.send(f"<message to='{to}' type='chat'><body>{text}</body></message>")


def bodies(client: Client) -> list[str]:
    """What there is to be read."""
    return [stanza.findtext("body", "") for stanza in client.sync() if stanza.tag == "message"]


def test_what_was_said_meanwhile_comes_in_order_and_nobody_noticed(
    world: World, romeo: Client, juliet: Managed
) -> None:
    say(romeo, "juliet@localhost", "one")
    juliet.cut()
    say(romeo, "juliet@localhost", "two", "three")
    world.advance(7199)
    assert juliet.again().tag == f"{{{ns.SM}}}resumed"
    assert bodies(juliet.client) == ["one", "two", "three"]
    romeo.nothing_before()


def test_what_was_handled_does_not_come_again(romeo: Client, juliet: Managed) -> None:
    say(romeo, "juliet@localhost", "one")
    assert bodies(juliet.client) == ["one"]
    handled = juliet.client.handled
    say(romeo, "juliet@localhost", "two")
    juliet.cut()
    say(romeo, "juliet@localhost", "three")
    juliet.again(handled)
    assert bodies(juliet.client) == ["two", "three"]


def test_it_can_be_resumed_again_and_again(romeo: Client, juliet: Managed) -> None:
    for number in range(3):
        say(romeo, "juliet@localhost", f"{number}")
        juliet.cut()
        assert juliet.again().tag == f"{{{ns.SM}}}resumed"
        assert bodies(juliet.client) == [f"{number}"]


def test_the_client_is_told_how_far_we_got(romeo: Client, juliet: Managed) -> None:
    before = juliet.client.request_ack()
    say(juliet.client, romeo.jid, "one", "two")
    juliet.cut()
    assert juliet.again().get("h") == str(before + 2)
    assert juliet.client.request_ack() == before + 2


def test_the_presence_and_the_places_in_rooms_stay(world: World, romeo: Client, juliet: Managed) -> None:
    create(romeo, ROOM, "Romeo")
    enter(juliet.client, ROOM, "Juliet")
    romeo.expect("presence", from_=f"{ROOM}/Juliet")
    juliet.cut()
    romeo.send(f"<message to='{ROOM}' type='groupchat'><body>hi</body></message>")
    romeo.expect("message")
    world.advance(100)
    juliet.again()
    assert bodies(juliet.client) == ["hi"]
    juliet.client.send(f"<message to='{ROOM}' type='groupchat'><body>ho</body></message>")
    romeo.expect("message", from_=f"{ROOM}/Juliet")
    romeo.send(f"<presence to='{juliet.client.bare}' type='probe'/>")
    romeo.expect("presence", from_=juliet.client.jid, type=None)


def test_when_the_window_closes_everybody_is_told(world: World, romeo: Client, juliet: Managed) -> None:
    create(romeo, ROOM, "Romeo")
    enter(juliet.client, ROOM, "Juliet")
    romeo.expect("presence", from_=f"{ROOM}/Juliet")
    juliet.cut()
    world.advance(7199.9)
    romeo.nothing_before()
    world.advance(0.1)
    romeo.expect_all(
        lambda presence: presence.get("from") == juliet.client.jid and presence.get("type") == "unavailable",
        lambda presence: presence.get("from") == f"{ROOM}/Juliet" and presence.get("type") == "unavailable",
    )


def test_who_comes_too_late_is_told_how_far_we_got(world: World, romeo: Client, juliet: Managed) -> None:
    say(juliet.client, romeo.jid, "one")
    handled = juliet.client.request_ack()
    juliet.cut()
    world.advance(7201)
    failed = juliet.again()
    assert find(failed, "errors:item-not-found") is not None
    assert failed.get("h") == str(handled)
    juliet.client.bind("balcony")


def test_so_is_who_comes_after_a_crash(world: World, romeo: Client, juliet: Managed) -> None:
    say(juliet.client, romeo.jid, "one")
    handled = juliet.client.request_ack()
    world.crash()
    failed = juliet.again()
    assert failed.get("h") == str(handled)


def test_nobody_resumes_the_session_of_another(world: World, juliet: Managed) -> None:
    thief = world.authenticated("tybalt@localhost")
    failed = thief.resume(juliet.id, 0)
    assert find(failed, "errors:item-not-found") is not None
    assert failed.get("h") is None
    juliet.client.nothing_before()


def test_a_connection_that_stands_makes_way_for_the_one_that_resumes(romeo: Client, juliet: Managed) -> None:
    older = juliet.client
    juliet.again()
    older.expect_stream_error("conflict")
    say(romeo, "juliet@localhost", "hi")
    assert bodies(juliet.client) == ["hi"]


def test_what_the_older_connection_brought_in_last_is_counted(romeo: Client, juliet: Managed) -> None:
    older = juliet.client
    handled = older.request_ack()
    say(older, romeo.jid, "one", "two", "three")
    assert juliet.again().get("h") == str(handled + 3)


def test_who_claims_to_have_more_than_was_sent_is_cut_off_and_the_session_stays(juliet: Managed) -> None:
    handled = juliet.client.handled
    juliet.cut()
    liar = juliet.world.authenticated("juliet@localhost")
    liar.send(f"<resume xmlns='{ns.SM}' previd='{juliet.id}' h='{handled + 1}'/>")
    liar.expect_stream_error("undefined-condition")
    assert juliet.again(handled).tag == f"{{{ns.SM}}}resumed"


def test_a_bound_stream_cannot_resume(juliet: Managed) -> None:
    assert find(juliet.client.resume(juliet.id, 0), "errors:unexpected-request") is not None
    juliet.client.nothing_before()


def test_closing_the_stream_ends_the_session_at_once(romeo: Client, juliet: Managed) -> None:
    juliet.client.close()
    romeo.expect("presence", type="unavailable", from_=juliet.client.jid)
    assert find(juliet.again(), "errors:item-not-found") is not None


def test_a_session_that_cannot_be_resumed_waits_no_longer_than_one_without(world: World, romeo: Client) -> None:
    client = world.login("juliet@localhost/balcony")
    assert client.enable(resume=False).get("id") is None
    client.available()
    world.befriend(client, romeo)
    client.cut()
    world.advance(30)
    romeo.expect("presence", type="unavailable", from_=client.jid)


def test_a_peer_that_answers_no_request_is_cut_off_and_can_resume(world: World, romeo: Client, juliet: Managed) -> None:
    handled = juliet.client.handled
    say(romeo, "juliet@localhost", "hi")
    world.advance(40)
    juliet.client.transparent = True
    juliet.client.expect_stream_error("connection-timeout")
    romeo.nothing_before()
    assert juliet.again(handled).tag == f"{{{ns.SM}}}resumed"
    assert bodies(juliet.client) == ["hi"]


def test_a_peer_that_answers_is_left_alone(world: World, romeo: Client, juliet: Managed) -> None:
    say(romeo, "juliet@localhost", "hi")
    for _ in range(10):
        world.advance(5)
        juliet.client.sync()
    assert juliet.again().tag == f"{{{ns.SM}}}resumed"


def test_changes_of_the_roster_come_with_it(juliet: Managed) -> None:
    juliet.client.get(f"<query xmlns='{ns.ROSTER}'/>")
    juliet.cut()
    other = juliet.world.login("juliet@localhost/chamber")
    other.set(f"<query xmlns='{ns.ROSTER}'><item jid='nurse@localhost'/></query>")
    juliet.again()
    juliet.client.expect("iq", "roster:query/roster:item[@jid='nurse@localhost']", type="set")
