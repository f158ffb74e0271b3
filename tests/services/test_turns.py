"""A client with stream management whose stanza must wait for storage: the next ones wait their turn behind it."""

from collections.abc import Callable

from fermata.host.sessions import Session
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
