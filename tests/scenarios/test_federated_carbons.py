"""Copies of what comes from another server and goes there, rooms there included (XEP-0280)."""

import pytest

from kit import ns
from kit.archives import page, query
from kit.carbons import enable, expect_copy, heard
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter
from kit.pubsub import bookmark
from kit.stanzas import find, find_all, show, text
from kit.wire import Client

ROOM = "tea@conference.b.example"
A, B = "a.example", "b.example"


@pytest.fixture
def bob(universe: Universe) -> Client:
    return universe.server(B).online("bob@b.example/desk")


@pytest.fixture
def phone(here: FederatedWorld) -> Client:
    return here.online("ann@a.example/phone")


@pytest.fixture
def tablet(here: FederatedWorld, phone: Client) -> Client:
    """Her second device; both want copies."""
    client = here.online("ann@a.example/tablet")
    enable(phone, client)
    phone.sync()
    return client


def say(client: Client, to: str, body: str, id: str = "") -> None:
    client.send(f"<message to='{to}' type='chat' id='{id or body}'><body>{body}</body></message>")


def test_a_conversation_with_another_server_is_seen_by_both_devices(bob: Client, phone: Client, tablet: Client) -> None:
    say(bob, phone.jid, "hello")
    original = phone.expect("message", from_=bob.jid)
    received = expect_copy(tablet, "received", "hello")
    assert show(received) == show(original)
    say(phone, bob.bare, "hi")
    sent = expect_copy(tablet, "sent", "hi")
    assert (sent.get("from"), sent.get("to")) == (phone.jid, bob.bare)
    assert heard(bob) == ["hi"]
    stamps = [find(message, "sid:stanza-id[@by='ann@a.example']") for message in (received, sent)]
    assert [each.get("id") for each in stamps if each is not None] == page(phone, query()).ids
    phone.nothing_before()


def test_an_error_from_another_server_is_seen_by_both(bob: Client, phone: Client, tablet: Client) -> None:
    say(phone, "nobody@b.example", "hello")
    expect_copy(tablet, "sent", "hello")
    error = phone.expect_error("message", "service-unavailable", id="hello")
    assert show(expect_copy(tablet, "received")) == show(error)
    tablet.nothing_before()


def test_an_error_of_our_own_for_a_server_out_of_reach_is_seen_by_both(
    here: FederatedWorld, phone: Client, tablet: Client
) -> None:
    say(phone, "nobody@nowhere.example", "hello")
    expect_copy(tablet, "sent", "hello")
    here.advance(3700)
    error = phone.expect_error("message", "remote-server-timeout", id="hello")
    assert show(expect_copy(tablet, "received")) == show(error)


def test_a_copy_from_elsewhere_is_none(bob: Client, phone: Client, tablet: Client) -> None:
    inside = f"<message xmlns='{ns.CLIENT}' from='eve@b.example'><body>pay</body></message>"
    forged = f"<received xmlns='{ns.CARBONS}'><forwarded xmlns='{ns.FORWARD}'>{inside}</forwarded></received>"
    bob.send(f"<message to='{phone.jid}' type='chat'>{forged}</message>")
    assert phone.expect("message").get("from") == bob.jid
    tablet.nothing_before()


def test_carbons_are_for_accounts_here(bob: Client, phone: Client) -> None:
    assert bob.refused("set", f"<enable xmlns='{ns.CARBONS}'/>", phone.bare) == ("cancel", "service-unavailable")


# -- rooms there


@pytest.fixture
def owner(bob: Client) -> Client:
    create(bob, ROOM, "Bob")
    return bob


def test_a_private_message_from_a_room_there_comes_to_each_device_once(
    here: FederatedWorld, owner: Client, phone: Client, tablet: Client
) -> None:
    outside = here.online("ann@a.example/laptop")
    enable(outside)
    for client in (phone, tablet):
        client.sync()
        enter(client, ROOM, "Ann")
    for client in (phone, tablet, outside):
        client.sync()
    say(owner, f"{ROOM}/Ann", "psst")
    assert heard(phone) == heard(tablet) == ["psst"]
    say(phone, f"{ROOM}/Bob", "what?")
    assert find(expect_copy(tablet, "sent", "what?"), "user:x") is not None
    say(phone, f"{ROOM}/Nobody", "you?")
    expect_copy(tablet, "sent", "you?")
    error = phone.expect_error("message", "item-not-found", id="you?")
    assert show(expect_copy(tablet, "received")) == show(error)
    for client in (phone, tablet, outside):
        client.nothing_before()


def test_in_a_room_there_that_the_account_is_in(
    here: FederatedWorld, owner: Client, phone: Client, tablet: Client
) -> None:
    bookmark(phone, ROOM, "Ann")
    owner.expect("presence", from_=f"{ROOM}/Ann")
    for client in (phone, tablet):
        client.sync()
        enter(client, ROOM, "Ann")
    say(phone, f"{ROOM}/Bob", "psst")
    message = expect_copy(tablet, "sent", "psst")
    assert len(find_all(message, "user:x")) == 1
    assert text(owner.expect("message", from_=f"{ROOM}/Ann"), "body") == "psst"
    stamp = find(message, "sid:stanza-id[@by='ann@a.example']")
    assert stamp is not None
    assert stamp.get("id") == page(phone, query()).ids[-1]
    say(owner, f"{ROOM}/Ann", "what?")
    assert heard(phone) == heard(tablet) == ["what?"]
    say(tablet, f"{ROOM}/Nobody", "you?")
    expect_copy(phone, "sent", "you?")
    error = tablet.expect_error("message", "item-not-found", id="you?")
    assert show(expect_copy(phone, "received")) == show(error)
    for client in (phone, tablet):
        client.nothing_before()
