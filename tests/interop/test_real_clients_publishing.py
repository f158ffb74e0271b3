"""Slixmpp publishes: nicknames, avatars, bookmarks, what was read, and on nodes for everybody."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from slixmpp import Message
from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0004 import Form
from slixmpp.plugins.xep_0048.stanza import Bookmarks
from slixmpp.plugins.xep_0402.stanza import Conference

from interop.clients import Clients
from interop.peers import Peer
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE
from kit.people import PASSWORD

PLUGINS = ("xep_0060", "xep_0163", "xep_0084", "xep_0172", "xep_0048", "xep_0049", "xep_0402", "xep_0490", "xep_0223")
NICK = "http://jabber.org/protocol/nick"
BOOKMARKS, SERVICE, NODE = "urn:xmpp:bookmarks:1", "pubsub.localhost", "princely_musings"
IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def publisher(clients: Clients, jid: str = "", *interests: str, without: Sequence[str] = ()) -> SlixmppClient:
    """A client that publishes, and wants to hear of these nodes beside those that its plugins know."""
    client = clients.slixmpp(jid, without=without)
    for name in PLUGINS:
        client.register_plugin(name)
    client.plugin["xep_0048"].auto_join = False
    await client.come(clients.server.port, "session_start")
    for node in interests:
        client.plugin["xep_0030"].add_feature(f"{node}+notify")
    await client.plugin["xep_0115"].update_caps(broadcast=False)
    client.send_presence()
    await client.presence(client.boundjid.full)
    return client


async def befriend(romeo: SlixmppClient, juliet: SlixmppClient) -> None:
    for one, other in ((romeo, juliet), (juliet, romeo)):
        one.send_presence_subscription(other.boundjid.bare)
        await other.presence(one.boundjid.full)
    await romeo.sync()
    await juliet.sync()


async def told(client: SlixmppClient, node: str) -> Any:
    """The next notification of a node."""

    def fits(stanza: object) -> bool:
        return isinstance(stanza, Message) and stanza["pubsub_event"]["items"]["node"] == node

    return (await client.take(fits, f"notification of {node}"))["pubsub_event"]["items"]


async def test_a_contact_sees_a_nickname_and_an_avatar(clients: Clients) -> None:
    # With its own plugin for avatars in vCards, slixmpp says in its presence that it has none.
    romeo, juliet = await publisher(clients), await publisher(clients, without=["xep_0153"])
    await befriend(romeo, juliet)
    await juliet.plugin["xep_0172"].publish_nick("Jule", timeout=DEADLINE)
    assert (await told(romeo, NICK))["item"]["nick"]["nick"] == "Jule"
    avatars = juliet.plugin["xep_0084"]
    id = avatars.generate_id(IMAGE)
    await avatars.publish_avatar(IMAGE, timeout=DEADLINE)
    metadata = {"id": id, "type": "image/png", "bytes": str(len(IMAGE))}
    await avatars.publish_avatar_metadata(items=[metadata], timeout=DEADLINE)
    assert (await told(romeo, "urn:xmpp:avatar:metadata"))["item"]["id"] == id
    reply = await romeo.plugin["xep_0084"].retrieve_avatar(juliet.boundjid.bare, id, timeout=DEADLINE)
    assert reply["pubsub"]["items"]["item"]["avatar_data"]["value"] == IMAGE
    vcard = (await romeo.plugin["xep_0054"].get_vcard(juliet.boundjid.bare, timeout=DEADLINE))["vcard_temp"]
    assert vcard["PHOTO"]["BINVAL"] == IMAGE
    juliet.send_presence(pstatus="look at me")
    seen = await romeo.presence(juliet.boundjid.full, status="look at me")
    assert seen["vcard_temp_update"]["photo"] == id


async def test_an_avatar_in_a_vcard_is_heard_of_by_clients_that_know_no_vcard(clients: Clients) -> None:
    romeo, juliet = await publisher(clients), await publisher(clients)
    await befriend(romeo, juliet)
    await juliet.plugin["xep_0153"].set_avatar(avatar=IMAGE, mtype="image/png", timeout=DEADLINE)
    info = (await told(romeo, "urn:xmpp:avatar:metadata"))["item"]["avatar_metadata"]["items"]
    assert [each["id"] for each in info] == [juliet.plugin["xep_0084"].generate_id(IMAGE)]


async def test_bookmarks_are_the_same_for_new_clients_and_old_ones(clients: Clients) -> None:
    new = await publisher(clients, "", BOOKMARKS)
    old = await publisher(clients, new.boundjid.bare, "storage:bookmarks")
    conference = Conference()
    conference["name"], conference["autojoin"], conference["nick"] = "Tea", True, "Jule"
    options = Form()
    options["type"] = "submit"
    options.add_field("FORM_TYPE", "hidden", value="http://jabber.org/protocol/pubsub#publish-options")
    for name, value in (
        ("persist_items", "1"),
        ("max_items", "max"),
        ("send_last_published_item", "never"),
        ("access_model", "whitelist"),
    ):
        options.add_field(f"pubsub#{name}", value=value)
    room = "tea@rooms.localhost"
    await new.plugin["xep_0060"].publish(
        None, BOOKMARKS, id=room, payload=conference, options=options, timeout=DEADLINE
    )
    assert (await told(new, BOOKMARKS))["item"]["id"] == room
    assert (await told(old, "storage:bookmarks"))["item"]["bookmarks"]["conferences"]
    for method in ("xep_0049", "xep_0223"):
        reply = await old.plugin["xep_0048"].get_bookmarks(method=method, timeout=DEADLINE)
        found = reply["private"] if method == "xep_0049" else reply["pubsub"]["items"]["item"]
        (bookmark,) = found["bookmarks"]["conferences"]
        assert (bookmark["jid"], bookmark["name"], bookmark["nick"]) == (room, "Tea", "Jule")
        assert bookmark["autojoin"]
        written = Bookmarks()
        written.add_conference(room, "Jule", name="Tea", autojoin=True)
        written.add_conference(f"more@{method.replace('_', '-')}.localhost", "Jule")
        await old.plugin["xep_0048"].set_bookmarks(written, method=method, timeout=DEADLINE)
        assert (await told(new, BOOKMARKS))["item"]["id"] == f"more@{method.replace('_', '-')}.localhost"
        await new.plugin["xep_0060"].retract(
            None, BOOKMARKS, id=f"more@{method.replace('_', '-')}.localhost", notify="true", timeout=DEADLINE
        )
        await told(new, BOOKMARKS)


async def test_what_one_client_has_read_another_knows(clients: Clients) -> None:
    node = "urn:xmpp:mds:displayed:0"
    phone = await publisher(clients, "", node)
    laptop = await publisher(clients, phone.boundjid.bare, node)
    for chat in ("romeo@localhost", "tea@rooms.localhost"):
        await phone.plugin["xep_0490"].flag_chat(chat, "some-id", timeout=DEADLINE)
        assert (await told(laptop, node))["item"]["id"] == chat
    caught_up = await laptop.plugin["xep_0490"].catch_up(timeout=DEADLINE)
    assert len(caught_up["pubsub"]["items"]["substanzas"]) == 2


async def test_a_node_for_everybody(clients: Clients) -> None:
    romeo, juliet = await publisher(clients), await publisher(clients)
    node = f"{NODE}-{romeo.boundjid.user}"
    pubsub = romeo.plugin["xep_0060"]
    await pubsub.create_node(SERVICE, node, timeout=DEADLINE)
    form = (await pubsub.get_node_config(SERVICE, node, timeout=DEADLINE))["pubsub_owner"]["configure"]["form"]
    assert form["values"]["pubsub#access_model"] == "open"
    form["type"], form["values"] = "submit", {"pubsub#title": "Musings", "pubsub#access_model": "whitelist"}
    await pubsub.set_node_config(SERVICE, node, form, timeout=DEADLINE)
    with pytest.raises(IqError, match="not-allowed"):
        await juliet.plugin["xep_0060"].subscribe(SERVICE, node, timeout=DEADLINE)
    await pubsub.modify_affiliations(SERVICE, node, [(juliet.boundjid.bare, "publisher")], timeout=DEADLINE)
    await juliet.plugin["xep_0060"].subscribe(SERVICE, node, timeout=DEADLINE)
    await pubsub.publish(SERVICE, node, id="first", payload=Conference(), timeout=DEADLINE)
    assert (await told(juliet, node))["item"]["id"] == "first"
    await juliet.plugin["xep_0060"].publish(SERVICE, node, id="second", payload=Conference(), timeout=DEADLINE)
    found = await pubsub.get_items(SERVICE, node, timeout=DEADLINE)
    assert [item["id"] for item in found["pubsub"]["items"]["substanzas"]] == ["first", "second"]
    await juliet.plugin["xep_0060"].retract(SERVICE, node, "second", timeout=DEADLINE)
    await pubsub.delete_node(SERVICE, node, timeout=DEADLINE)
    with pytest.raises(IqError, match="item-not-found"):
        await pubsub.get_items(SERVICE, node, timeout=DEADLINE)


@pytest.mark.interop
async def test_profanity_knows_the_bookmarks_of_newer_clients_and_they_know_its_own(
    clients: Clients, profanity: Peer
) -> None:
    new = await publisher(clients, "", BOOKMARKS)
    room, other = (f"{name}-{new.boundjid.user}@conference.localhost" for name in ("tea", "coffee"))
    await new.open_room(room, "Host")
    conference = Conference()
    conference["name"], conference["autojoin"], conference["nick"] = "Tea", True, "Romeo"
    await new.plugin["xep_0060"].publish(None, BOOKMARKS, id=room, payload=conference, timeout=DEADLINE)
    await told(new, BOOKMARKS)
    terminal = clients.profanity(profanity)
    await terminal.log_in(new.boundjid.bare, PASSWORD, clients.server.port)
    await new.presence(f"{room}/Romeo")
    terminal.type(f"/bookmark add {other} nick Romeo")
    assert (await told(new, BOOKMARKS))["item"]["id"] == other
    found = (await new.plugin["xep_0060"].get_items(None, BOOKMARKS, timeout=DEADLINE))["pubsub"]["items"]
    kept = [(each["id"], each["conference"]["nick"], each["conference"]["autojoin"]) for each in found["substanzas"]]
    assert kept == [(room, "Romeo", True), (other, "Romeo", False)]
