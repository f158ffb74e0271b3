"""Slixmpp takes back what was said in rooms, gives them an avatar, and registers with them."""

from hashlib import sha1

import pytest
from slixmpp import JID, Message
from slixmpp.exceptions import IqError

from interop.clients import Clients
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE

PLUGINS = ("xep_0424", "xep_0425")
PICTURE = b"\x89PNG of an orchard"


async def meet(clients: Clients, room: str) -> tuple[SlixmppClient, SlixmppClient]:
    """Romeo, who owns the room, and Juliet in it."""
    romeo, juliet = await clients.online(), await clients.online()
    for client in (romeo, juliet):
        for plugin in PLUGINS:
            client.register_plugin(plugin)
    await romeo.open_room(room, "Romeo")
    await juliet.join(room, "Juliet")
    await romeo.presence(f"{room}/Juliet", type="available")
    return romeo, juliet


async def retraction(client: SlixmppClient, room: str) -> Message:
    """The next message that retracts one, from that address."""

    def fits(stanza: object) -> bool:
        return isinstance(stanza, Message) and stanza["from"] == room and bool(stanza["retract"]["id"])

    found: Message = await client.take(fits, "retraction")
    return found


async def test_a_moderator_takes_back_what_somebody_said(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    juliet.say(room, "Buy my poison")
    id = (await romeo.message("Buy my poison"))["stanza_id"]["id"]
    with pytest.raises(IqError, match="forbidden"):
        await juliet.plugin["xep_0425"].moderate(JID(room), id, "why not", timeout=DEADLINE)
    await romeo.plugin["xep_0425"].moderate(JID(room), id, "poison", timeout=DEADLINE)
    for client in (romeo, juliet):
        told = await retraction(client, room)
        assert told["retract"]["id"] == id
        assert told["retract"]["moderated"]["by"] == f"{room}/Romeo"
        assert told["retract"]["reason"] == "poison"
    assert await (await clients.online()).join(room, "Benvolio") == []


async def test_an_author_takes_back_what_he_said(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    juliet.say(room, "I hate thee")
    id = (await juliet.message("I hate thee"))["stanza_id"]["id"]
    juliet.plugin["xep_0424"].send_retraction(JID(room), id, "groupchat")
    assert (await retraction(romeo, f"{room}/Juliet"))["retract"]["id"] == id
    history = await (await clients.online()).join(room, "Benvolio")
    assert [message["retract"]["id"] for message in history] == [id]


async def test_a_room_gets_an_avatar(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    vcard = romeo.plugin["xep_0054"].make_vcard()
    vcard["PHOTO"]["TYPE"], vcard["PHOTO"]["BINVAL"] = "image/png", PICTURE
    await romeo.plugin["xep_0054"].publish_vcard(vcard, JID(room), timeout=DEADLINE)
    notice = await juliet.message(type="groupchat", from_=JID(room))
    assert 104 in set(notice["muc"]["status_codes"])
    info = (await juliet.plugin["xep_0030"].get_info(room, timeout=DEADLINE))["disco_info"]
    assert "vcard-temp" in info["features"]
    assert info["form"].get_values()["muc#roominfo_avatarhash"] == [sha1(PICTURE).hexdigest()]
    fetched = await juliet.plugin["xep_0054"].get_vcard(JID(room), timeout=DEADLINE)
    assert fetched["vcard_temp"]["PHOTO"]["BINVAL"] == PICTURE


async def test_somebody_registers_with_a_room(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    juliet.register_plugin("xep_0077")
    asked = await juliet.plugin["xep_0077"].get_registration(JID(room), timeout=DEADLINE)
    form = asked["register"]["form"]
    assert form.get_fields()["muc#register_roomnick"]["required"]
    form["type"] = "submit"
    form.set_values({"muc#register_roomnick": "Juliet"})
    submitted = juliet.make_iq_set(ito=room)
    submitted["register"].append(form)
    await submitted.send(timeout=DEADLINE)
    assert (await romeo.presence(f"{room}/Juliet"))["muc"]["affiliation"] == "member"
    known = await juliet.plugin["xep_0077"].get_registration(JID(room), timeout=DEADLINE)
    assert known["register"]["username"] == "Juliet"
    other = romeo.make_iq_set(ito=room)
    other.append(submitted["register"])
    with pytest.raises(IqError, match="conflict"):
        await other.send(timeout=DEADLINE)
    await juliet.plugin["xep_0077"].cancel_registration(JID(room), timeout=DEADLINE)
    assert (await romeo.presence(f"{room}/Juliet"))["muc"]["affiliation"] == "none"
