"""Invitations to rooms: where the account is already, nobody needs to see them."""

from collections.abc import Callable

import pytest

from kit.archives import page, query
from kit.muc import change
from kit.standing import ROOM, rooms
from kit.stanzas import find, text
from kit.wire import Client
from kit.world import World


def mediated(client: Client, to: str = "ann@localhost") -> None:
    """Somebody in the room asks it to invite an account (XEP-0045 §7.8.2)."""
    invite = f"<invite to='{to}'><reason>Tea!</reason></invite>"
    client.send(f"<message to='{ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'>{invite}</x></message>")
    client.sync(ROOM)


def direct(client: Client, inside: str = "", to: str = "ann@localhost") -> None:
    """Somebody invites an account by himself (XEP-0249)."""
    client.send(f"<message to='{to}'><x xmlns='jabber:x:conference' jid='{ROOM}'/>{inside}</message>")
    client.sync(ROOM)


@pytest.fixture
def asked(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the guardian asks whether an account is there."""
    found: list[str] = []
    guard = world.parts.standing_in._guard
    ask = guard._ask
    monkeypatch.setattr(guard, "_ask", lambda iq, to: (found.append(to), ask(iq, to)))
    return found


@pytest.mark.parametrize("invite", [mediated, direct])
def test_an_invitation_to_where_the_account_is_makes_it_ask_and_is_shown_to_nobody(
    world: World, ann: Client, ben: Client, asked: list[str], invite: Callable[[Client], None]
) -> None:
    invite(ben)
    world.advance(3)
    assert asked == [f"{ROOM}/Ann"]
    assert [each.tag for each in ann.sync()] == []
    assert page(ann, query(fields={"include-groupchat": "true"})).results == []
    assert rooms(ann)[0]["state"] == "in"


@pytest.mark.parametrize("invite", [mediated, direct])
def test_one_to_anywhere_else_is_delivered(
    world: World, ben: Client, asked: list[str], invite: Callable[[Client], None]
) -> None:
    ann = world.online("ann@localhost/phone")
    invite(ben)
    assert ann.expect("message").get("from") in (ROOM, ben.jid)
    world.advance(3)
    assert asked == []


@pytest.mark.parametrize("invite", [mediated, direct])
def test_so_is_one_to_a_room_that_has_removed_the_account(
    world: World, ann: Client, ben: Client, invite: Callable[[Client], None]
) -> None:
    ben.set(change(nick="Ann", role="none"), ROOM)
    invite(ben)
    assert ann.expect("message").get("from") in (ROOM, ben.jid)


def test_what_a_person_writes_with_an_invitation_is_delivered(world: World, ann: Client, ben: Client) -> None:
    direct(ben, "<body>Where are you?</body>")
    assert text(ann.expect("message"), "body") == "Where are you?"


def test_one_for_a_client_is_for_that_client(ann: Client, ben: Client) -> None:
    mediated(ben, ann.jid)
    assert find(ann.expect("message", from_=ROOM), "user:x/user:invite") is not None


def test_nobody_in_a_room_can_speak_for_it(world: World, ann: Client, ben: Client, asked: list[str]) -> None:
    forged = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='x@localhost'/></x>"
    ben.send(f"<message to='{ROOM}/Ann'>{forged}<body>psst</body></message>")
    ben.send(f"<message to='ann@localhost'>{forged}</message>")
    ben.sync(ROOM)
    world.advance(3)
    assert asked == []


def test_a_stranger_cannot_make_the_account_ask_without_end(
    world: World, ann: Client, ben: Client, asked: list[str]
) -> None:
    for _ in range(20):
        direct(ben)
    world.advance(3)
    assert asked == [f"{ROOM}/Ann"]
