"""Slixmpp and profanity with more devices than one: each shows both sides (XEP-0280)."""

import asyncio

import pytest
from slixmpp import Message

from interop.clients import Clients
from interop.peers import Peer
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE
from kit import ns
from kit.people import PASSWORD

pytestmark = pytest.mark.interop


class Copies:
    """What slixmpp's plugin for carbons tells of one client: the copied messages, by direction."""

    def __init__(self, client: SlixmppClient) -> None:
        self._told: asyncio.Queue[tuple[str, Message]] = asyncio.Queue()
        for name in ("received", "sent"):
            client.add_event_handler(f"carbon_{name}", lambda told, name=name: self._put(name, told))

    def _put(self, name: str, told: Message) -> None:
        self._told.put_nowait((name, told[f"carbon_{name}"]))

    async def next(self, name: str, body: str) -> Message:
        """The next one, which has to be that."""
        came, message = await asyncio.wait_for(self._told.get(), DEADLINE)
        assert (came, message["body"]) == (name, body)
        return message

    @property
    def is_empty(self) -> bool:
        return self._told.empty()


async def device(clients: Clients, jid: str = "") -> tuple[SlixmppClient, Copies]:
    """A client that has looked whether the server knows copies, and has asked for them."""
    client = await clients.online(jid)
    client.register_plugin("xep_0280")
    info = await client.plugin["xep_0030"].get_info(client.boundjid.domain, timeout=DEADLINE)
    assert ns.CARBONS in info["disco_info"]["features"]
    copies = Copies(client)
    await client.plugin["xep_0280"].enable(timeout=DEADLINE)
    return client, copies


async def test_three_devices_see_both_sides_of_a_conversation(clients: Clients) -> None:
    romeo, (phone, of_phone) = await clients.online(), await device(clients)
    others = [await device(clients, phone.boundjid.bare) for _ in range(2)]
    romeo.send_message(phone.boundjid.full, "Lady", mtype="chat")
    heard = await phone.message("Lady")
    phone.send_message(romeo.boundjid.full, "Ay me", mtype="chat")
    await romeo.message("Ay me")
    romeo.send_message(phone.boundjid.bare, "She speaks", mtype="chat")
    for client, copies in others:
        received = await copies.next("received", "Lady")
        assert (received["from"], received["to"]) == (romeo.boundjid, phone.boundjid)
        assert received["stanza_id"]["id"] == heard["stanza_id"]["id"]
        sent = await copies.next("sent", "Ay me")
        assert (sent["from"], sent["to"]) == (phone.boundjid, romeo.boundjid)
        assert sent["stanza_id"]["by"] == phone.boundjid.bare
        await client.message("She speaks")
    await phone.message("She speaks")
    for client, copies in [(phone, of_phone), *others]:
        await client.sync()
        assert copies.is_empty
    await others[0][0].plugin["xep_0280"].disable(timeout=DEADLINE)
    phone.send_message(romeo.boundjid.full, "O Romeo", mtype="chat")
    await others[1][1].next("sent", "O Romeo")
    await others[0][0].sync()
    assert others[0][1].is_empty


async def test_copies_go_on_after_a_lost_connection(clients: Clients) -> None:
    (
        romeo,
        (phone, _),
    ) = await clients.online(), await device(clients)
    tablet, copies = await device(clients, phone.boundjid.bare)
    await tablet.cut()
    phone.send_message(romeo.boundjid.full, "Ay me", mtype="chat")
    await romeo.message("Ay me")
    await tablet.come(clients.server.port, "session_resumed")
    await copies.next("sent", "Ay me")
    phone.send_message(romeo.boundjid.full, "O Romeo", mtype="chat")
    await copies.next("sent", "O Romeo")


async def test_profanity_shows_what_another_device_hears_and_says(clients: Clients, profanity: Peer) -> None:
    romeo, (phone, copies) = await clients.online(), await device(clients)
    terminal = clients.profanity(profanity)
    await terminal.log_in(phone.boundjid.bare, PASSWORD, clients.server.port)
    terminal.type("/carbons on")
    await terminal.shows("Message carbons preference enabled.")
    terminal.type(f"/msg {romeo.boundjid.bare} O Romeo")
    await copies.next("sent", "O Romeo")
    await romeo.message("O Romeo")
    romeo.send_message(phone.boundjid.full, "Lady", mtype="chat")
    await phone.message("Lady")
    await terminal.shows("Lady")
    phone.send_message(romeo.boundjid.full, "Ay me", mtype="chat")
    await terminal.matches(r"O Romeo(.|\n)*Lady(.|\n)*Ay me")
    assert await terminal.quit() == 0
