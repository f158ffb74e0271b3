"""Profanity, driven by its user at a terminal; slixmpp looks on."""

from pathlib import Path

import pytest
from slixmpp import JID
from slixmpp.exceptions import PresenceError

from interop.clients import Clients
from interop.peers import Peer
from interop.profanity import Profanity
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE
from kit.people import PASSWORD

pytestmark = pytest.mark.interop


async def logged_in(clients: Clients, peer: Peer, jid: str = "") -> Profanity:
    terminal = clients.profanity(peer)
    await terminal.log_in(jid or clients.account(), PASSWORD, clients.server.port)
    return terminal


async def open_room(terminal: Profanity, room: str, nick: str) -> None:
    """Enters a room that does not exist yet, and accepts it as it is."""
    terminal.type(f"/join {room} nick {nick}")
    await terminal.shows("Room locked, requires configuration.")
    terminal.type("/room accept")
    terminal.type("/affiliation list owner")  # the room answers in order: then it is open
    await terminal.shows("Affiliation: owner")


async def meet(clients: Clients, peer: Peer, room: str) -> tuple[Profanity, SlixmppClient]:
    """Romeo at the terminal, who owns the room, and Juliet in it."""
    romeo, juliet = await logged_in(clients, peer), await clients.online()
    await open_room(romeo, room, "Romeo")
    await juliet.join(room, "Juliet")
    await romeo.matches(r"Participants\n.* Juliet$")
    return romeo, juliet


@pytest.mark.parametrize(("tls", "direct"), [("force", False), ("legacy", True)], ids=["STARTTLS", "direct TLS"])
async def test_profanity_logs_in_and_out(clients: Clients, profanity: Peer, tls: str, direct: bool) -> None:
    terminal, server = clients.profanity(profanity), clients.server
    jid = clients.account()
    await terminal.log_in(jid, PASSWORD, server.direct_tls_port if direct else server.port, tls)
    await terminal.shows("[TLS] [online]")
    other = await clients.online(jid)
    (session,) = (presence["from"] for presence in other.inbox.waiting)
    assert session.resource.startswith("profanity.")
    assert await terminal.quit() == 0
    await other.presence(session, type="unavailable")


async def test_profanity_asks_about_a_certificate_that_nobody_vouches_for(clients: Clients, profanity: Peer) -> None:
    terminal = clients.profanity(profanity, certificate=Path("/dev/null"))
    await terminal.shows("Profanity. Type /help for help information.")
    terminal.type(f"/connect {clients.account()} server 127.0.0.1 port {clients.server.port} tls force")
    await terminal.shows("Enter password:")
    terminal.type(PASSWORD)
    await terminal.shows("TLS certificate verification failed: self-signed certificate")
    await terminal.matches(r"Common name +: localhost$")
    terminal.type("/tls allow")
    await terminal.shows("logged in successfully, online")


async def test_a_wrong_password_is_refused(clients: Clients, profanity: Peer) -> None:
    terminal = clients.profanity(profanity)
    await terminal.shows("Profanity. Type /help for help information.")
    terminal.type(f"/connect {clients.account()} server 127.0.0.1 port {clients.server.port}")
    await terminal.shows("Enter password:")
    terminal.type("not it")
    await terminal.shows("Login failed.")


async def test_two_people_talk(clients: Clients, profanity: Peer) -> None:
    account = clients.account()
    romeo, juliet = await logged_in(clients, profanity, account), await clients.online()
    romeo.type(f"/msg {juliet.boundjid.bare} With love's light wings")
    heard = await juliet.message("With love's light wings", type="chat")
    assert heard["from"].bare == account
    await romeo.shows("me: With love's light wings")
    juliet.send_message(heard["from"], "By whose direction found'st thou out this place?", mtype="chat")
    await romeo.shows("By whose direction found'st thou out this place?")


async def test_people_become_contacts(clients: Clients, profanity: Peer) -> None:
    account = clients.account()
    romeo, juliet = await logged_in(clients, profanity, account), await clients.online()
    romeo.type(f"/roster add {juliet.boundjid.bare} Juliet")
    await romeo.shows(f"Roster item added: {juliet.boundjid.bare} (Juliet)")
    romeo.type(f"/sub request {juliet.boundjid.bare}")
    await juliet.presence(account, type="subscribe")
    await romeo.shows("++ Juliet")
    await romeo.shows(f"Received authorization request from {juliet.boundjid.bare}")
    romeo.type(f"/sub allow {juliet.boundjid.bare}")
    await juliet.presence(account, type="subscribed")
    romeo.type('/status set away "on the balcony"')
    seen = await juliet.take(lambda stanza: stanza.name == "presence" and stanza["show"] == "away", "away presence")
    assert seen["status"] == "on the balcony"
    juliet.send_presence(pshow="dnd", pstatus="asleep")
    await romeo.matches(r'\+\+ Juliet \(\S+\) is dnd, "asleep"')
    assert await romeo.quit() == 0
    await juliet.presence(seen["from"], type="unavailable")


async def test_messages_wait_for_whoever_comes_later(clients: Clients, profanity: Peer) -> None:
    account, juliet = clients.account(), await clients.online()
    juliet.send_message(account, "Too rash, too unadvised, too sudden", mtype="chat")
    await juliet.sync()
    romeo = await logged_in(clients, profanity, account)
    await romeo.shows(f"<< chat message: {juliet.boundjid.bare}")
    romeo.type("/win 2")
    await romeo.shows("Too rash, too unadvised, too sudden")


async def test_people_meet_in_a_room_and_leave_it(clients: Clients, profanity: Peer, room: str) -> None:
    romeo, juliet = await meet(clients, profanity, room)
    romeo.type("What lady is that?")
    await juliet.message("What lady is that?", type="groupchat", from_=JID(f"{room}/Romeo"))
    await romeo.shows("Romeo: What lady is that?")
    juliet.say(room, "I know not, sir.")
    await romeo.shows("Juliet: I know not, sir.")
    romeo.type("/nick Montague")
    assert (await juliet.presence(f"{room}/Romeo", type="unavailable"))["muc"]["item_nick"] == "Montague"
    await romeo.matches(r"Moderators\n.* Montague$")
    romeo.type("/close")
    await juliet.presence(f"{room}/Montague", type="unavailable")


async def test_the_subject_is_set_by_either(clients: Clients, profanity: Peer, room: str) -> None:
    romeo, juliet = await meet(clients, profanity, room)
    romeo.type("/subject set An evening in Verona")
    await romeo.shows("Romeo has set the room subject: An evening in Verona")
    assert (await juliet.message(from_=JID(f"{room}/Romeo")))["subject"] == "An evening in Verona"
    romeo.type(f"/affiliation set admin {juliet.boundjid.bare}")
    await juliet.take(lambda stanza: stanza["muc"]["affiliation"] == "admin", "presence of an admin")
    juliet.plugin["xep_0045"].set_subject(room, "The night")
    await romeo.shows("Juliet has set the room subject: The night")


async def test_a_kick_removes_and_a_ban_keeps_out(clients: Clients, profanity: Peer, room: str) -> None:
    romeo, juliet = await meet(clients, profanity, room)
    romeo.type("/kick Juliet a plague")
    kicked = await juliet.presence(f"{room}/Juliet", type="unavailable")
    assert kicked["muc"]["status_codes"] == {110, 307}
    await romeo.shows("Juliet has been kicked from the room by Romeo, reason: a plague")
    await juliet.join(room, "Juliet")
    await romeo.matches(r"Participants\n.* Juliet$")
    romeo.type(f"/affiliation set outcast {juliet.boundjid.bare} banished")
    banned = await juliet.presence(f"{room}/Juliet", type="unavailable")
    assert banned["muc"]["status_codes"] == {110, 301}
    await romeo.shows("Juliet has been banned from the room by Romeo, reason: banished")
    with pytest.raises(PresenceError, match="forbidden"):
        await juliet.join(room, "Juliet")
    romeo.type("/affiliation list outcast")
    await romeo.shows(f"  {juliet.boundjid.bare}")


async def test_whoever_is_kicked_or_banned_is_told(clients: Clients, profanity: Peer, room: str) -> None:
    account = clients.account()
    romeo, juliet = await logged_in(clients, profanity, account), await clients.online()
    await juliet.open_room(room, "Juliet")
    romeo.type(f"/join {room} nick Romeo")
    await romeo.shows("You have joined the room as Romeo, role: participant, affiliation: none")
    await juliet.presence(f"{room}/Romeo", type="available")
    muc = juliet.plugin["xep_0045"]
    await muc.set_role(room, "Romeo", "none", reason="it is the lark", timeout=DEADLINE)
    await romeo.shows(f"Kicked from {room} by Juliet, reason: it is the lark")
    romeo.type(f"/join {room} nick Romeo")
    await juliet.presence(f"{room}/Romeo", type="available")
    await muc.set_affiliation(room, "outcast", jid=account, reason="banished", timeout=DEADLINE)
    await romeo.shows(f"Banned from {room} by Juliet, reason: banished")
    romeo.type(f"/join {room} nick Romeo")
    await romeo.shows(f"Error joining room {room}, reason: forbidden")


async def test_a_late_comer_is_shown_what_was_said(clients: Clients, profanity: Peer, room: str) -> None:
    juliet = await clients.online()
    await juliet.open_room(room, "Juliet")
    juliet.plugin["xep_0045"].set_subject(room, "The balcony")
    for body in ("Romeo, Romeo", "wherefore art thou Romeo?"):
        juliet.say(room, body)
        await juliet.message(body)
    romeo = await logged_in(clients, profanity)
    romeo.type(f"/join {room} nick Romeo")
    await romeo.matches(r"Juliet: Romeo, Romeo(.|\n)*Juliet: wherefore art thou Romeo\?")
    await romeo.shows("Juliet has set the room subject: The balcony")
    await romeo.matches(r"Moderators\n.* Juliet$")


async def test_private_messages_stay_between_two(clients: Clients, profanity: Peer, room: str) -> None:
    romeo, juliet = await meet(clients, profanity, room)
    romeo.type("/msg Juliet If I profane")
    await juliet.message("If I profane", type="chat", from_=JID(f"{room}/Romeo"))
    juliet.send_message(f"{room}/Romeo", "Good pilgrim", mtype="chat")
    await romeo.shows("Juliet: Good pilgrim")


async def test_a_room_is_configured_by_its_form(clients: Clients, profanity: Peer, room: str) -> None:
    romeo, juliet = await meet(clients, profanity, room)
    romeo.type("/room config")
    await romeo.shows("Use '/form submit' to save changes.")
    for name, value in (("Name", '"An orchard"'), ("Only members may enter", "on")):
        romeo.type(f"/{await romeo.field(name)} {value}")
    romeo.type("/form submit")
    await romeo.shows("Room configuration successful")
    info = (await juliet.plugin["xep_0030"].get_info(room, timeout=DEADLINE))["disco_info"]
    assert ("conference", "text", None, "An orchard") in info["identities"]
    assert "muc_membersonly" in info["features"]


async def test_people_are_invited(clients: Clients, profanity: Peer, room: str) -> None:
    account = clients.account()
    romeo, juliet = await logged_in(clients, profanity, account), await clients.online()
    await open_room(romeo, room, "Romeo")
    romeo.type(f"/invite send {juliet.boundjid.bare} a feast")
    # Directly or through the room: that depends on what profanity has found out about the room by then.
    invited = await juliet.take(lambda each: room in (each["groupchat_invite"]["jid"], each["from"]), "invitation")
    assert "a feast" in (invited["groupchat_invite"]["reason"], invited["muc"]["invite"]["reason"])
    other = f"other-{room}"
    await juliet.open_room(other, "Juliet")
    juliet.plugin["xep_0045"].invite(other, account, "the tomb")
    romeo.type("/win 1")
    await romeo.shows(other)
    romeo.type(f"/join {other} nick Romeo")
    await juliet.presence(f"{other}/Romeo", type="available")


async def test_who_loses_the_connection_is_still_in_the_room(clients: Clients, profanity: Peer, room: str) -> None:
    juliet, relay, romeo = await clients.online(), await clients.relay(), clients.profanity(profanity)
    await juliet.open_room(room, "Juliet")
    await romeo.log_in(clients.account(), PASSWORD, relay.port)
    romeo.type(f"/join {room} nick Romeo")
    await juliet.presence(f"{room}/Romeo", type="available")
    await romeo.matches(r"Participants\n.* Romeo$")
    relay.cut()
    await romeo.shows("Lost connection.")
    juliet.say(room, "O Romeo, Romeo! wherefore art thou Romeo?")
    await romeo.shows("Connection re-established.")
    await romeo.shows("Juliet: O Romeo, Romeo! wherefore art thou Romeo?")
    romeo.type("Shall I hear more?")
    await juliet.message("Shall I hear more?", from_=JID(f"{room}/Romeo"))
    assert not [stanza for stanza in juliet.inbox.waiting if stanza["type"] == "unavailable"]
