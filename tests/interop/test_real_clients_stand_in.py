"""Accounts that stand in rooms of their own server: their clients, which know nothing of it, see an ordinary room."""

import pytest
from slixmpp.plugins.xep_0402.stanza import Conference

from interop.clients import Clients
from interop.peers import Peer
from interop.slixmpp_client import SlixmppClient
from interop.transcript import transcript
from interop.waiting import DEADLINE
from kit import ns
from kit.people import PASSWORD

pytestmark = pytest.mark.interop


async def bookmarked(clients: Clients, room: str) -> tuple[SlixmppClient, SlixmppClient]:
    """Ann, who has opened the room, and Ben, whose account is in because he has bookmarked it."""
    ann, ben = await clients.online(), await clients.online()
    await ann.open_room(room, "ann")
    ann.say(room, "before")
    await ann.message("before")
    for plugin in ("xep_0060", "xep_0402"):
        ben.register_plugin(plugin)
    conference = Conference()
    conference["autojoin"], conference["nick"] = True, "ben"
    await ben.plugin["xep_0060"].publish(None, ns.BOOKMARKS, id=room, payload=conference, timeout=DEADLINE)
    await ann.presence(f"{room}/ben", type="xa")
    return ann, ben


async def enters(client: SlixmppClient, room: str) -> list[str]:
    """Enters as slixmpp does, and returns what the room has told."""
    client.inbox.waiting.clear()
    await client.plugin["xep_0045"].join_muc_wait(room, "ben", timeout=DEADLINE)
    await client.sync()
    return transcript(client.inbox.waiting, room)


async def test_slixmpp_sees_an_ordinary_entrance_and_ordinary_talk(clients: Clients, room: str) -> None:
    ann, ben = await bookmarked(clients, room)
    ann.say(room, "since")
    await ann.message("since")
    assert await enters(ben, room) == ["+ann", "+ben 110", "before", "since", "subject"]
    tablet = await clients.online(ben.boundjid.bare)
    assert await enters(tablet, room) == ["+ann", "+ben 110", "before", "since", "subject"]
    assert await enters(tablet, room) == ["+ann", "+ben 110", "before", "since", "subject"]
    for client in (ann, ben, tablet):
        await client.sync()
        client.inbox.waiting.clear()
    for who in (ann, ben, tablet):
        who.say(room, f"by {who.boundjid}")
        for client in (ann, ben, tablet):
            await client.message(f"by {who.boundjid}")
    for client in (ann, ben, tablet):
        await client.sync()
        assert [each for each in transcript(client.inbox.waiting, room) if each[:4] != "+ben"] == []


async def test_two_clients_that_come_at_once_are_both_told_everything_once(clients: Clients, room: str) -> None:
    _, ben = await bookmarked(clients, room)
    tablet = await clients.online(ben.boundjid.bare)
    for client in (ben, tablet):
        client.inbox.waiting.clear()
        client.plugin["xep_0045"].join_muc(room, "ben")
    for client in (ben, tablet):
        await client.take(lambda each: transcript([each], room) == ["subject"], "subject")
        assert transcript(client.inbox.waiting, room) == ["+ann", "+ben 110"], "join_muc asks for no history"


async def test_profanity_sees_an_ordinary_room(clients: Clients, profanity: Peer, room: str) -> None:
    ann, ben = await bookmarked(clients, room)
    await enters(ben, room)
    ann.inbox.waiting.clear()
    terminal = clients.profanity(profanity)
    await terminal.log_in(ben.boundjid.bare, PASSWORD, clients.server.port)
    await terminal.shows(f"Autojoined {room} as ben (2).")
    terminal.type("/win 2")
    await terminal.shows("You have joined the room as ben, role: participant, affiliation: none")
    await terminal.matches(r"Moderators\n.* ann$(.|\n)*Participants\n.* ben$")
    terminal.type("typed")
    for client in (ann, ben):
        await client.message("typed", type="groupchat")
    ben.say(room, "tapped")
    await terminal.matches(r"- ben: typed(.|\n)*- ben: tapped")
    assert terminal.screen.text().count("typed") == terminal.screen.text().count("tapped") == 1
    assert await terminal.quit() == 0
    ben.say(room, "still in")
    await ann.message("still in")
    assert [each for each in transcript(ann.inbox.waiting, room) if each != "+ben"] == ["tapped"]
