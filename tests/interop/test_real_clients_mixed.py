"""Clients of different makers meet in an archived room, and the archive holds what they said."""

import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from slixmpp import JID

from interop.clients import Clients
from interop.peers import Peer
from kit.people import PASSWORD

pytestmark = pytest.mark.interop


def archived(database: Path, room: str) -> list[tuple[str, str]]:
    """Who said what in a room, as it stands in the archive: (nickname, body)."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT xml FROM archive JOIN entity ON entity.number = archive.owner WHERE entity.jid = ? ORDER BY seq",
            (room,),
        ).fetchall()
    messages = [fromstring(xml) for (xml,) in rows]
    return [(JID(message.get("from")).resource, message.findtext("body", "")) for message in messages]


async def test_an_archive_holds_exactly_what_was_said(clients: Clients, profanity: Peer, room: str) -> None:
    romeo, juliet = clients.profanity(profanity), await clients.online()
    await juliet.open_room(room, "Juliet")
    await romeo.log_in(clients.account(), PASSWORD, clients.server.port)
    romeo.type(f"/join {room} nick Romeo")
    await romeo.shows("You have joined the room as Romeo")
    said = []
    for line in ("I take thee at thy word", "Call me but love", 'Häßlich & <schön> → \'tis both "quoted"'):
        romeo.type(line)
        await juliet.message(line, from_=JID(f"{room}/Romeo"))
        juliet.say(room, f"{line}, sayest thou?")
        await romeo.shows(f"Juliet: {line}, sayest thou?")
        said += [("Romeo", line), ("Juliet", f"{line}, sayest thou?")]
    private = "and this is for your eyes only"
    romeo.type(f"/msg Juliet {private}")
    await juliet.message(private, type="chat")
    assert archived(clients.server.directory / "var" / "fermata.db", room) == said
    late = await clients.online()
    history = await late.join(room, "Benvolio")
    assert [(message["from"].resource, message["body"]) for message in history] == said


async def test_two_terminals_and_a_bot_see_the_same_room(clients: Clients, profanity: Peer, room: str) -> None:
    juliet = await clients.online()
    await juliet.open_room(room, "Juliet")
    terminals = {"Romeo": clients.profanity(profanity), "Tybalt": clients.profanity(profanity)}
    for nick, terminal in terminals.items():
        await terminal.log_in(clients.account(), PASSWORD, clients.server.port)
        terminal.type(f"/join {room} nick {nick}")
        await juliet.presence(f"{room}/{nick}", type="available")
    for terminal in terminals.values():
        await terminal.matches(r"Moderators\n.* Juliet\n.*Participants\n.* Romeo\n.* Tybalt$")
    terminals["Tybalt"].type("What, ho!")
    await terminals["Romeo"].shows("Tybalt: What, ho!")
    await juliet.message("What, ho!")
    assert await terminals["Tybalt"].quit() == 0
    await juliet.presence(f"{room}/Tybalt", type="unavailable")
    await terminals["Romeo"].matches(r"Participants\n.* Romeo\n.*Visitors")
