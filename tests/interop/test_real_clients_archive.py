"""Slixmpp asks archives, of its account and of rooms, and says what its own keeps."""

from typing import Any

import pytest
from slixmpp import JID
from slixmpp.exceptions import IqError

from interop.clients import Clients
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE


async def online(clients: Clients, jid: str = "") -> SlixmppClient:
    client = await clients.online(jid)
    for plugin in ("xep_0059", "xep_0313", "xep_0441"):
        client.register_plugin(plugin)
    return client


async def said(client: SlixmppClient, jid: str | None = None, **asked: Any) -> list[tuple[str, str]]:
    """Who said what, by the archive, page for page."""
    found = []
    async for message in client.plugin["xep_0313"].iterate(jid=JID(jid) if jid else None, **asked):
        forwarded = message["mam_result"]["forwarded"]["stanza"]
        found.append((str(forwarded["from"]), forwarded["body"]))
    return found


async def test_a_second_client_reads_what_the_first_one_saw(clients: Clients) -> None:
    romeo, juliet = await online(clients), await online(clients)
    for number in range(25):
        romeo.send_message(juliet.boundjid.bare, f"word {number}", mtype="chat")
    await juliet.message("word 24")
    juliet.send_message(romeo.boundjid.bare, "enough", mtype="chat")
    await romeo.message("enough")
    expected = [(romeo.boundjid.full, f"word {number}") for number in range(25)] + [(juliet.boundjid.full, "enough")]
    second = await online(clients, juliet.boundjid.bare)
    assert await said(second) == expected
    assert await said(second, with_jid=romeo.boundjid.bare, rsm={"max": 7}) == expected
    assert await said(second, reverse=True, total=3) == expected[:-4:-1]
    assert await said(second, with_jid="nobody@localhost") == []


async def test_slixmpp_reads_the_form_and_where_the_archive_begins_and_ends(clients: Clients) -> None:
    romeo = await online(clients)
    fields = await romeo.plugin["xep_0313"].get_fields(timeout=DEADLINE)
    assert {"with", "start", "end", "before-id", "after-id", "ids"} <= set(fields.get_fields())
    romeo.send_message(romeo.boundjid.bare, "a note", mtype="chat")
    note = await romeo.message("a note")
    metadata = (await romeo.plugin["xep_0313"].get_archive_metadata(timeout=DEADLINE))["mam_metadata"]
    assert metadata["start"]["id"] == metadata["end"]["id"] == note["stanza_id"]["id"]


async def test_slixmpp_reads_the_archive_of_a_room(clients: Clients, room: str) -> None:
    romeo, juliet = await online(clients), await online(clients)
    await romeo.open_room(room, "Romeo")
    for word in ("What lady", "is that?"):
        romeo.say(room, word)
        await romeo.message(word)
    assert await said(juliet, room) == [(f"{room}/Romeo", "What lady"), (f"{room}/Romeo", "is that?")]
    await romeo.configure(room, membersonly=True)
    with pytest.raises(IqError, match="forbidden"):
        await juliet.plugin["xep_0313"].retrieve(jid=JID(room), timeout=DEADLINE)


async def test_slixmpp_says_what_is_kept(clients: Clients) -> None:
    romeo, juliet = await online(clients), await online(clients)
    prefs = juliet.plugin["xep_0441"]
    assert (await prefs.get_preferences(timeout=DEADLINE))[0] == "always"
    await prefs.set_preferences("always", [], [JID(romeo.boundjid.bare)], timeout=DEADLINE)
    default, always, never = await prefs.get_preferences(timeout=DEADLINE)
    assert (default, list(always), list(never)) == ("always", [], [romeo.boundjid.bare])
    romeo.send_message(juliet.boundjid.bare, "between us", mtype="chat")
    await juliet.message("between us")
    assert await said(juliet) == []
    assert [word for _, word in await said(romeo)] == ["between us"]
