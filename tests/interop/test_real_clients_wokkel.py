"""wokkel's client and its MUC client, through the shim that the server itself uses."""

import pytest
from slixmpp import JID
from slixmpp.exceptions import PresenceError

from interop.clients import Clients
from interop.slixmpp_client import SlixmppClient
from interop.wokkel_client import WokkelClient, WokkelError


async def meet(clients: Clients, room: str) -> tuple[WokkelClient, SlixmppClient]:
    """Romeo with wokkel, who owns the room, and Juliet with slixmpp."""
    romeo, juliet = await clients.wokkel(), await clients.online()
    assert await romeo.do("enter", room, "Romeo") == {"nick": "Romeo", "locked": True}
    await romeo.do("configure", room, {})
    await romeo.tells("joined", nick="Romeo", role="moderator", affiliation="owner")
    await juliet.join(room, "Juliet")
    await romeo.tells("joined", room=room, nick="Juliet", role="participant")
    return romeo, juliet


async def test_wokkel_logs_in_and_talks(clients: Clients) -> None:
    romeo, juliet = await clients.wokkel(), await clients.online()
    await romeo.do("say", juliet.boundjid.bare, "Lady, by yonder blessed moon I swear")
    await juliet.message("Lady, by yonder blessed moon I swear", type="chat", from_=JID(romeo.jid))
    juliet.send_message(romeo.jid, "O, swear not by the moon", mtype="chat")
    await romeo.tells("message", sender=juliet.boundjid.full, body="O, swear not by the moon")


async def test_two_of_them_meet_and_talk(clients: Clients, room: str) -> None:
    romeo, juliet = await clients.wokkel(), await clients.wokkel()
    await romeo.do("enter", room, "Romeo")
    await romeo.do("configure", room, {})
    await romeo.do("groupchat", room, "What lady is that?")
    await romeo.tells("groupchat", nick="Romeo", body="What lady is that?")
    await romeo.do("subject", room, "An evening in Verona")
    await romeo.tells("subject", nick="Romeo", text="An evening in Verona")
    assert await juliet.do("enter", room, "Juliet") == {"nick": "Juliet", "locked": False}
    await juliet.tells("history", nick="Romeo", body="What lady is that?")
    await juliet.tells("subject", nick="Romeo", text="An evening in Verona")
    await juliet.do("groupchat", room, "I know not, sir")
    await romeo.tells("groupchat", nick="Juliet", body="I know not, sir")
    await juliet.do("whisper", f"{room}/Romeo", "It is I")
    await romeo.tells("message", sender=f"{room}/Juliet", body="It is I")
    await juliet.do("leave", room)
    await romeo.tells("left", nick="Juliet")


async def test_it_moderates_and_others_see_it(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    await romeo.do("subject", room, "The balcony")
    assert (await juliet.message(from_=JID(f"{room}/Romeo")))["subject"] == "The balcony"
    juliet.say(room, "Ay me!")
    await romeo.tells("groupchat", nick="Juliet", body="Ay me!")
    await romeo.do("kick", room, "Juliet", "a plague")
    kicked = await juliet.presence(f"{room}/Juliet", type="unavailable")
    assert kicked["muc"]["status_codes"] == {110, 307}
    await romeo.tells("left", nick="Juliet")
    await romeo.do("banish", room, juliet.boundjid.bare, "banished")
    assert await romeo.do("outcasts", room) == [juliet.boundjid.bare]
    with pytest.raises(PresenceError, match="forbidden"):
        await juliet.join(room, "Juliet")
    with pytest.raises(WokkelError, match="item-not-found"):
        await romeo.do("kick", room, "Nobody", "")


async def test_it_configures_a_room_and_keeps_its_members(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    settings = await romeo.do("settings", room)
    assert settings["muc#roomconfig_membersonly"] == "false"
    await romeo.do("configure", room, {**settings, "muc#roomconfig_roomname": "An orchard"})
    await romeo.do("make_members", room, juliet.boundjid.bare, "nurse@localhost")
    assert sorted(await romeo.do("members", room)) == sorted([juliet.boundjid.bare, "nurse@localhost"])
    await romeo.do("configure", room, {"muc#roomconfig_membersonly": True})
    changed = await romeo.do("settings", room)
    assert (changed["muc#roomconfig_roomname"], changed["muc#roomconfig_membersonly"]) == ("An orchard", "true")
    stranger = await clients.wokkel()
    with pytest.raises(WokkelError, match="registration-required"):
        await stranger.do("enter", room, "Paris")


async def test_it_changes_its_nickname_and_destroys_its_room(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    await romeo.do("nick", room, "Montague")
    renamed = await juliet.presence(f"{room}/Romeo", type="unavailable")
    assert renamed["muc"]["item_nick"] == "Montague"
    await romeo.do("destroy", room, "a plague")
    gone = await juliet.presence(f"{room}/Juliet", type="unavailable")
    assert gone.xml.find("*/{http://jabber.org/protocol/muc#user}destroy") is not None
