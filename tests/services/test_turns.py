"""A client with stream management whose stanza must wait for storage: the next ones wait their turn behind it."""

from collections.abc import Callable

from fermata.host.sessions import Session
from kit import ns
from kit.wire import Client
from kit.world import World


def session_of(world: World, client: Client) -> Session:
    [session] = [session for session in world.parts.sessions if session.jid == client.jid]
    return session


def managed(world: World, jid: str) -> Client:
    client = world.login(jid)
    client.enable()
    client.available()
    return client


def hold_the_next_stanza(session: Session) -> list[Callable[[], None]]:
    """Makes the session's next stanza one that is not dealt with until the callable that is put here was called."""
    holds: list[Callable[[], None]] = []
    take = session._from_client.take

    def held(*arguments: object) -> None:
        vars(session._from_client).pop("take")
        holds.append(session.hold())
        take(*arguments)  # type: ignore[arg-type]

    vars(session._from_client)["take"] = held
    return holds


def test_what_comes_behind_it_is_neither_kept_nor_counted_before_it(world: World) -> None:
    romeo, juliet = managed(world, "romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    before = romeo.request_ack()
    holds = hold_the_next_stanza(session_of(world, romeo))
    for body in ("first", "second"):
        romeo.send(f"<message to='{juliet.bare}' type='chat'><body>{body}</body></message>")
    assert juliet.expect("message", "body").findtext("body") == "first"
    juliet.nothing_before()
    assert romeo.request_ack() == before
    holds.pop()()
    assert juliet.expect("message", "body").findtext("body") == "second"
    assert romeo.request_ack() == before + 2


def test_who_resumes_is_told_how_far_all_got_that_came_before(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    id = romeo.enable().get("id", "")
    before = romeo.request_ack()
    holds = hold_the_next_stanza(session_of(world, romeo))
    for body in ("first", "second"):
        romeo.send(f"<message to='{juliet.bare}' type='chat'><body>{body}</body></message>")
    romeo.cut()
    again = world.authenticated("romeo@localhost")
    again.send(f"<resume xmlns='{ns.SM}' previd='{id}' h='{romeo.handled}'/>")
    holds.pop()()
    assert int(again.next().get("h", "")) == before + 2
    assert [juliet.next().findtext("body") for _ in range(2)] == ["first", "second"]
    juliet.nothing_before()


def test_who_says_goodbye_goes_when_all_that_came_before_is_dealt_with(world: World) -> None:
    romeo, juliet = managed(world, "romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    holds = hold_the_next_stanza(session_of(world, romeo))
    for body in ("first", "second"):
        romeo.send(f"<message to='{juliet.bare}' type='chat'><body>{body}</body></message>")
    romeo.link.send(b"</stream:stream>")
    world.turn()
    assert [session.jid for session in world.parts.sessions] == [romeo.jid, juliet.jid]
    holds.pop()()
    assert [juliet.next().findtext("body") for _ in range(2)] == ["first", "second"]
    world.turn()
    assert [session.jid for session in world.parts.sessions] == [juliet.jid]


def test_what_waits_its_turn_when_the_session_ends_is_not_done(world: World) -> None:
    romeo, juliet = managed(world, "romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    session = session_of(world, romeo)
    holds = hold_the_next_stanza(session)
    for body in ("first", "second"):
        romeo.send(f"<message to='{juliet.bare}' type='chat'><body>{body}</body></message>")
    world.parts.sessions.end(session)
    holds.pop()()
    assert juliet.expect("message", "body").findtext("body") == "first"
    juliet.nothing_before()


def test_what_waits_behind_a_stanza_that_ends_the_stream_comes_once(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    id = romeo.enable().get("id", "")
    before = romeo.request_ack()
    holds = hold_the_next_stanza(session_of(world, romeo))
    said = [f"<message to='{juliet.bare}' type='chat'><body>{body}</body></message>" for body in ("first", "second")]
    for stanza in (said[0], "<presence from='nobody@localhost'/>", said[1]):
        romeo.send(stanza)
    holds.pop()()
    romeo.expect_stream_error("invalid-from")
    again = world.authenticated("romeo@localhost")
    assert int(again.resume(id, romeo.handled).get("h", "")) == before + 2
    again.send(said[1])
    assert [juliet.next().findtext("body") for _ in range(2)] == ["first", "second"]
    juliet.nothing_before()
    assert again.request_ack() == before + 3


def test_a_connection_that_is_lost_before_it_has_the_session_does_not_keep_it(world: World) -> None:
    romeo, juliet = world.login("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    id = romeo.enable().get("id", "")
    holds = hold_the_next_stanza(session_of(world, romeo))
    romeo.send(f"<message to='{juliet.bare}' type='chat'><body>first</body></message>")
    again = world.authenticated("romeo@localhost")
    again.send(f"<resume xmlns='{ns.SM}' previd='{id}' h='{romeo.handled}'/>")
    again.cut()
    holds.pop()()
    world.turn()
    assert session_of(world, romeo).link is None
    world.advance(7200)
    assert [session.jid for session in world.parts.sessions] == [juliet.jid]
