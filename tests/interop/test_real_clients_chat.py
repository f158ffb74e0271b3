"""Slixmpp with contacts: presence, messages, what waits for whoever is offline, what is blocked."""

import asyncio
import hashlib

import pytest
from slixmpp import JID
from slixmpp.exceptions import IqError

from interop.clients import Clients
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE


async def befriend(asking: SlixmppClient, asked: SlixmppClient) -> None:
    """One asks to see the other; slixmpp's roster grants it by itself and asks back."""
    asking.send_presence_subscription(asked.boundjid.bare, ptype="subscribe")
    await asked.presence(asking.boundjid.bare, type="subscribe")
    await asking.presence(asked.boundjid.bare, type="subscribe")
    await asked.presence(asking.boundjid.full, type="available")
    await asking.presence(asked.boundjid.full, type="available")


def subscription(client: SlixmppClient, contact: SlixmppClient) -> str:
    return client.client_roster[contact.boundjid.bare]["subscription"]


async def test_contacts_see_each_other_come_change_and_go(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await befriend(romeo, juliet)
    for client in (romeo, juliet):
        await client.sync()
    assert (subscription(romeo, juliet), subscription(juliet, romeo)) == ("both", "both")
    juliet.send_presence(pshow="away", pstatus="on the balcony")
    assert (await romeo.presence(juliet.boundjid.full, show="away"))["status"] == "on the balcony"
    again = await clients.online(juliet.boundjid.bare)
    await romeo.presence(again.boundjid.full, type="available")
    assert subscription(again, romeo) == "both"
    await again.presence(romeo.boundjid.full, type="available")
    await again.leave()
    await romeo.presence(again.boundjid.full, type="unavailable")


async def test_a_contact_is_named_grouped_and_removed(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    other = await clients.online(romeo.boundjid.bare)
    await befriend(romeo, juliet)
    await romeo.update_roster(juliet.boundjid.bare, name="Juliet", groups=["Capulet"])
    await other.sync()
    assert other.client_roster[juliet.boundjid.bare]["name"] == "Juliet"
    assert other.client_roster[juliet.boundjid.bare]["groups"] == ["Capulet"]
    await romeo.del_roster_item(juliet.boundjid.bare)
    await other.sync()
    assert juliet.boundjid.bare not in other.client_roster
    await juliet.presence(romeo.boundjid.bare, type="unsubscribed")
    await juliet.presence(romeo.boundjid.full, type="unavailable")


async def test_a_conversation_with_all_its_marks(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    first = romeo.make_message(juliet.boundjid.bare, "He jests at scars", mtype="chat")
    first["chat_state"] = "active"
    first["request_receipt"] = True
    first.send()
    heard = await juliet.message("He jests at scars", type="chat", from_=romeo.boundjid)
    assert heard["chat_state"] == "active"
    receipt = await romeo.message(from_=juliet.boundjid, receipt=first["id"])
    assert not receipt["body"]
    romeo.plugin["xep_0308"].correct_message(first, "He jests at scars that never felt a wound")
    corrected = await juliet.message("He jests at scars that never felt a wound")
    assert corrected["replace"]["id"] == first["id"]
    assert corrected["stanza_id"]["by"] == juliet.boundjid.bare
    assert corrected["stanza_id"]["id"] != heard["stanza_id"]["id"]
    composing = juliet.make_message(romeo.boundjid.full, mtype="chat")
    composing["chat_state"] = "composing"
    composing.send()
    await romeo.message(chat_state="composing", from_=juliet.boundjid)


async def test_every_resource_hears_what_is_said_to_the_account(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    upstairs = await clients.online(juliet.boundjid.bare)
    romeo.send_message(juliet.boundjid.bare, "Lady", mtype="chat")
    romeo.send_message(upstairs.boundjid.full, "by yonder blessed moon", mtype="chat")
    for client in (juliet, upstairs):
        await client.message("Lady")
    await upstairs.message("by yonder blessed moon")
    await juliet.sync()
    assert not [stanza for stanza in juliet.inbox.waiting if stanza.name == "message"]


async def test_messages_wait_for_whoever_is_offline(clients: Clients) -> None:
    romeo, absent = await clients.online(), clients.account()
    for body in ("first", "second", "third"):
        romeo.send_message(absent, body, mtype="chat")
    await romeo.sync()
    juliet = await clients.online(absent)
    for body in ("first", "second", "third"):
        message = await juliet.message()
        assert (message["body"], message["from"]) == (body, romeo.boundjid)
        assert message["delay"]["from"] == "localhost"
    juliet.plugin["xep_0198"].send_ack()
    await juliet.leave()
    again = await clients.online(absent)
    await again.sync()
    assert not [stanza for stanza in again.inbox.waiting if stanza.name == "message"]


async def test_what_is_blocked_does_not_arrive(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await befriend(romeo, juliet)
    blocking = juliet.plugin["xep_0191"]
    await blocking.block({romeo.boundjid.bare}, timeout=DEADLINE)
    await romeo.presence(juliet.boundjid.full, type="unavailable")
    assert await blocking.get_blocked_jids(timeout=DEADLINE) == {JID(romeo.boundjid.bare)}
    romeo.send_message(juliet.boundjid.bare, "But soft!", mtype="chat")
    refused = await romeo.message(type="error", from_=JID(juliet.boundjid.bare))
    assert refused["error"]["condition"] == "service-unavailable"
    with pytest.raises(IqError, match="service-unavailable"):
        await romeo.plugin["xep_0199"].send_ping(juliet.boundjid.full, timeout=DEADLINE)
    await blocking.unblock({romeo.boundjid.bare}, timeout=DEADLINE)
    await romeo.presence(juliet.boundjid.full, type="available")
    romeo.send_message(juliet.boundjid.bare, "It is the east", mtype="chat")
    await juliet.message("It is the east")


async def test_a_card_is_kept_and_shown(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    card = romeo.plugin["xep_0054"].make_vcard()
    card["FN"] = "Romeo Montague"
    await romeo.plugin["xep_0054"].publish_vcard(card, timeout=DEADLINE)
    found = await juliet.plugin["xep_0054"].get_vcard(romeo.boundjid.bare, timeout=DEADLINE)
    assert found["vcard_temp"]["FN"] == "Romeo Montague"


async def test_an_avatar_is_announced_in_presence(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await befriend(romeo, juliet)
    await romeo.plugin["xep_0153"].set_avatar(avatar=b"a picture", mtype="image/png", timeout=DEADLINE)
    photo = hashlib.sha1(b"a picture").hexdigest()
    await juliet.take(lambda stanza: stanza["vcard_temp_update"]["photo"] == photo, "presence with his avatar")
    found = await juliet.plugin["xep_0054"].get_vcard(romeo.boundjid.bare, timeout=DEADLINE)
    assert found["vcard_temp"]["PHOTO"]["BINVAL"] == b"a picture"


async def test_the_server_says_what_it_is(clients: Clients) -> None:
    client = await clients.online()
    found = (await client.plugin["xep_0030"].get_info("localhost", timeout=DEADLINE))["disco_info"]
    assert ("server", "im") in {identity[:2] for identity in found["identities"]}
    version = await client.plugin["xep_0092"].get_version("localhost", timeout=DEADLINE)
    assert version["software_version"]["name"] == "Fermata"
    clock = await client.plugin["xep_0202"].get_entity_time("localhost", timeout=DEADLINE)
    assert clock["entity_time"].xml.findtext("{urn:xmpp:time}utc", "").endswith("Z")
    items = (await client.plugin["xep_0030"].get_items("localhost", timeout=DEADLINE))["disco_items"]["items"]
    assert "conference.localhost" in {str(item[0]) for item in items}


async def test_clients_find_out_about_each_other_through_the_server(clients: Clients) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    learned = asyncio.ensure_future(romeo.wait_until("entity_caps", DEADLINE))
    juliet.send_presence(pto=romeo.boundjid.full)
    assert (await learned)["from"] == juliet.boundjid
    version = await romeo.plugin["xep_0092"].get_version(juliet.boundjid.full, timeout=DEADLINE)
    assert version["software_version"]["name"] == "Slixmpp"
    info = await romeo.plugin["xep_0030"].get_info(juliet.boundjid.full, timeout=DEADLINE)
    assert "urn:xmpp:ping" in info["disco_info"]["features"]
    await juliet.plugin["xep_0199"].send_ping(romeo.boundjid.full, timeout=DEADLINE)
