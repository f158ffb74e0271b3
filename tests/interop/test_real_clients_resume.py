"""Slixmpp loses its connection, and nobody in the room notices (XEP-0198)."""

import asyncio

import pytest
from slixmpp import JID

from interop.clients import Clients
from interop.waiting import DEADLINE


async def test_who_loses_the_connection_stays_and_gets_what_he_missed(clients: Clients, room: str) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await romeo.open_room(room, "Romeo")
    await juliet.join(room, "Juliet")
    await romeo.presence(f"{room}/Juliet", type="available")
    address = juliet.boundjid.full

    await juliet.cut()
    romeo.say(room, "Lady, by yonder blessed moon")
    romeo.send_message(address, "I swear", mtype="chat")
    romeo.send_message(juliet.boundjid.bare, "that tips with silver", mtype="chat")
    await romeo.message("Lady, by yonder blessed moon")
    await romeo.sync()

    await juliet.come(clients.server.port, "session_resumed")
    assert juliet.boundjid.full == address
    for body in ("Lady, by yonder blessed moon", "I swear", "that tips with silver"):
        await juliet.message(body)
    await juliet.sync()
    assert not juliet.inbox.waiting
    juliet.say(room, "O, swear not by the moon")
    await romeo.message("O, swear not by the moon", from_=JID(f"{room}/Juliet"))
    assert not [stanza for stanza in romeo.inbox.waiting if stanza.name == "presence"]


async def test_what_was_said_into_the_void_is_said_once(clients: Clients, room: str) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await romeo.open_room(room, "Romeo")
    await juliet.join(room, "Juliet")
    before, after = [f"before {number}" for number in range(20)], [f"after {number}" for number in range(3)]
    for body in before:
        juliet.say(room, body)
    await juliet.cut()
    for body in after:
        juliet.say(room, body)
    await juliet.written()
    await juliet.come(clients.server.port, "session_resumed")
    heard = [await romeo.message(type="groupchat") for _ in before + after]
    # Slixmpp sends what it had no connection for before it sends again what was lost.
    assert sorted(message["body"] for message in heard) == sorted(before + after)
    await romeo.sync()
    assert not [stanza for stanza in romeo.inbox.waiting if stanza.name == "message"]


async def test_a_client_comes_back_before_the_server_has_missed_it(clients: Clients) -> None:
    account = clients.account()
    first = await clients.online(account)
    address, stream = first.boundjid.full, first.plugin["xep_0198"].sm_id
    second = clients.slixmpp(account)
    second.plugin["xep_0198"].sm_id, second.plugin["xep_0198"].handled = stream, first.plugin["xep_0198"].handled
    replaced = asyncio.ensure_future(first.wait_until("stream_error", DEADLINE))
    await second.come(clients.server.port, "session_resumed")
    assert (await replaced)["condition"] == "conflict"
    romeo = await clients.online()
    romeo.send_message(address, "Which of you?", mtype="chat")
    await second.message("Which of you?")


async def test_what_was_acknowledged_is_not_sent_again(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    romeo.send_message(juliet.boundjid.full, "heard", mtype="chat")
    await juliet.message("heard")
    juliet.plugin["xep_0198"].send_ack()
    await juliet.sync()
    await juliet.cut()
    await juliet.come(clients.server.port, "session_resumed")
    await juliet.sync()
    assert not [stanza for stanza in juliet.inbox.waiting if stanza.name == "message"]


async def test_a_client_without_stream_management_keeps_its_place_for_a_moment(clients: Clients, room: str) -> None:
    romeo, account = await clients.online(), clients.account()
    await romeo.open_room(room, "Romeo")
    juliet = await clients.online(f"{account}/balcony", without=["xep_0198"])
    await juliet.join(room, "Juliet")
    await romeo.presence(f"{room}/Juliet", type="available")
    await juliet.cut()
    again = await clients.online(f"{account}/balcony", without=["xep_0198"])
    await again.join(room, "Juliet")
    await romeo.sync()
    assert not [stanza for stanza in romeo.inbox.waiting if stanza["type"] == "unavailable"]


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_nobody_notices_that_the_server_was_away(clients: Clients, room: str, how: str) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await romeo.open_room(room, "Romeo")
    await juliet.join(room, "Juliet")
    await romeo.presence(f"{room}/Juliet", type="available")
    address = juliet.boundjid.full
    for number in range(20):
        romeo.say(room, f"before {number}")
        juliet.send_message(romeo.boundjid.full, f"aside {number}", mtype="chat")

    await asyncio.gather(romeo.written(), juliet.written())
    lost = [asyncio.ensure_future(each.wait_until("disconnected", DEADLINE)) for each in (romeo, juliet)]
    await asyncio.to_thread(getattr(clients.server, how))
    await asyncio.gather(*lost)
    await asyncio.to_thread(clients.server.start)
    await asyncio.gather(*(each.come(clients.server.port, "session_resumed") for each in (romeo, juliet)))
    assert juliet.boundjid.full == address
    romeo.say(room, "after")
    for client in (romeo, juliet):
        heard = [await client.message(type="groupchat") for _ in range(21)]
        assert sorted(message["body"] for message in heard) == sorted(
            [*(f"before {number}" for number in range(20)), "after"]
        )
    asides = [await romeo.message(type="chat") for _ in range(20)]
    assert {message["body"] for message in asides} == {f"aside {number}" for number in range(20)}
    for client in (romeo, juliet):
        await client.sync()
        assert not client.inbox.waiting
