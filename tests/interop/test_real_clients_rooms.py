"""Slixmpp meets in rooms: enters, talks, configures, invites, promotes, removes and leaves."""

import pytest
from slixmpp import JID
from slixmpp.exceptions import IqError, PresenceError
from slixmpp.plugins.xep_0410 import PingStatus

from interop.clients import Clients
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE


async def meet(clients: Clients, room: str, **settings: object) -> tuple[SlixmppClient, SlixmppClient]:
    """Romeo, who owns the room, and Juliet in it."""
    romeo, juliet = await clients.online(), await clients.online()
    await romeo.open_room(room, "Romeo", **settings)
    await juliet.join(room, "Juliet")
    await romeo.presence(f"{room}/Juliet", type="available")
    return romeo, juliet


def codes(stanza: object) -> set[int]:
    return set(stanza["muc"]["status_codes"])  # type: ignore[index]


async def test_a_new_room_belongs_to_whoever_opens_it(clients: Clients, room: str) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    own, subject, others, history = await romeo.plugin["xep_0045"].join_muc_wait(room, "Romeo", timeout=DEADLINE)
    assert codes(own) >= {110, 201}
    assert (own["muc"]["affiliation"], own["muc"]["role"]) == ("owner", "moderator")
    assert not subject["subject"]
    assert ([each["from"].resource for each in others], history) == (["Romeo"], [])
    with pytest.raises(PresenceError, match="item-not-found"):
        await juliet.join(room, "Juliet")
    await romeo.configure(room, roomname="An orchard", roomdesc="by moonlight", whois="anyone")
    own, _, others, _ = await juliet.plugin["xep_0045"].join_muc_wait(room, "Juliet", timeout=DEADLINE)
    assert codes(own) >= {100, 110}
    assert [each["from"].resource for each in others] == ["Romeo", "Juliet"]
    assert others[0]["muc"]["jid"] == romeo.boundjid
    info = (await juliet.plugin["xep_0030"].get_info(room, timeout=DEADLINE))["disco_info"]
    assert ("conference", "text", None, "An orchard") in info["identities"]
    assert {"http://jabber.org/protocol/muc", "muc_nonanonymous", "muc_persistent"} <= set(info["features"])
    assert info["form"]["values"]["muc#roominfo_description"] == "by moonlight"


async def test_people_in_a_room_talk(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    romeo.say(room, "What lady is that?")
    heard = await juliet.message("What lady is that?", type="groupchat", from_=JID(f"{room}/Romeo"))
    back = await romeo.message("What lady is that?", type="groupchat")
    assert heard["stanza_id"]["id"] == back["stanza_id"]["id"]
    assert heard["stanza_id"]["by"] == room
    assert heard["occupant-id"]["id"] == back["occupant-id"]["id"]
    romeo.plugin["xep_0308"].build_correction(back["id"], JID(room), None, "groupchat", "What lady is she?").send()
    corrected = await juliet.message("What lady is she?")
    assert corrected["replace"]["id"] == heard["id"]


async def test_the_subject_is_told_to_all_and_to_whoever_comes_later(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    romeo.plugin["xep_0045"].set_subject(room, "An evening in Verona")
    assert (await juliet.message(type="groupchat", from_=JID(f"{room}/Romeo")))["subject"] == "An evening in Verona"
    benvolio = await clients.online()
    _, subject, _, _ = await benvolio.plugin["xep_0045"].join_muc_wait(room, "Benvolio", timeout=DEADLINE)
    assert (subject["subject"], subject["from"]) == ("An evening in Verona", JID(f"{room}/Romeo"))
    juliet.plugin["xep_0045"].set_subject(room, "Not hers to set")
    refused = await juliet.message(type="error", from_=JID(room))
    assert refused["error"]["condition"] == "forbidden"


async def test_whoever_comes_later_gets_what_was_said(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    lines = [f"line {number}" for number in range(1, 6)]
    for line in lines:
        romeo.say(room, line)
        await juliet.message(line)
    benvolio, tybalt = await clients.online(), await clients.online()
    history = await benvolio.join(room, "Benvolio")
    assert [message["body"] for message in history] == lines
    assert {message["from"] for message in history} == {JID(f"{room}/Romeo")}
    assert {message["delay"]["from"] for message in history} == {JID(room)}
    assert [message["body"] for message in await tybalt.join(room, "Tybalt", maxstanzas=2)] == lines[-2:]


async def test_private_messages_stay_between_two(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    benvolio = await clients.online()
    await benvolio.join(room, "Benvolio")
    romeo.send_message(f"{room}/Juliet", "If I profane", mtype="chat")
    await juliet.message("If I profane", type="chat", from_=JID(f"{room}/Romeo"))
    juliet.send_message(f"{room}/Romeo", "Good pilgrim", mtype="chat")
    await romeo.message("Good pilgrim", type="chat", from_=JID(f"{room}/Juliet"))
    await benvolio.sync()
    assert not [stanza for stanza in benvolio.inbox.waiting if stanza.name == "message"]


async def test_people_change_their_nicknames_and_leave(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    assert await juliet.plugin["xep_0045"].set_self_nick(JID(room), "Giulietta", timeout=DEADLINE) == "Giulietta"
    renamed = await romeo.presence(f"{room}/Juliet", type="unavailable")
    assert (303 in codes(renamed), renamed["muc"]["item_nick"]) == (True, "Giulietta")
    await romeo.presence(f"{room}/Giulietta", type="available")
    with pytest.raises(PresenceError, match="conflict"):
        await (await clients.online()).join(room, "Romeo")
    juliet.plugin["xep_0045"].leave_muc(room, "Giulietta", "the lark")
    assert 110 in codes(await juliet.presence(f"{room}/Giulietta", type="unavailable"))
    assert (await romeo.presence(f"{room}/Giulietta", type="unavailable"))["status"] == "the lark"


async def test_a_kick_removes_and_a_ban_keeps_out(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    tybalt = await clients.online()
    await tybalt.join(room, "Tybalt")
    muc = romeo.plugin["xep_0045"]
    with pytest.raises(IqError, match="forbidden"):
        await tybalt.plugin["xep_0045"].set_role(room, "Juliet", "none", timeout=DEADLINE)
    await muc.set_role(room, "Tybalt", "none", reason="A plague", timeout=DEADLINE)
    kicked = await tybalt.presence(f"{room}/Tybalt", type="unavailable")
    assert codes(kicked) == {110, 307}
    assert 307 in codes(await juliet.presence(f"{room}/Tybalt", type="unavailable"))
    await tybalt.join(room, "Tybalt")
    await muc.set_affiliation(room, "outcast", jid=tybalt.boundjid.bare, reason="banished", timeout=DEADLINE)
    assert codes(await tybalt.presence(f"{room}/Tybalt", type="unavailable")) == {110, 301}
    assert 301 in codes(await juliet.presence(f"{room}/Tybalt", type="unavailable"))
    with pytest.raises(PresenceError, match="forbidden"):
        await tybalt.join(room, "Tybalt")
    assert await muc.get_affiliation_list(room, "outcast", timeout=DEADLINE) == [tybalt.boundjid.bare]
    await muc.set_affiliation(room, "none", jid=tybalt.boundjid.bare, timeout=DEADLINE)
    await tybalt.join(room, "Tybalt")


async def test_the_owner_makes_others_admins_members_and_moderators(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    muc = romeo.plugin["xep_0045"]
    await muc.set_affiliation(room, "admin", jid=juliet.boundjid.bare, timeout=DEADLINE)
    await juliet.presence(f"{room}/Juliet", type="available")
    assert await muc.get_affiliation_list(room, "admin", timeout=DEADLINE) == [juliet.boundjid.bare]
    assert sorted(await muc.get_roles_list(room, "moderator", timeout=DEADLINE)) == ["Juliet", "Romeo"]
    members = [("nurse@localhost", "member"), ("friar@localhost", "member")]
    await juliet.plugin["xep_0045"].send_affiliation_list(room, members, timeout=DEADLINE)
    listed = await muc.get_affiliation_list(room, "member", timeout=DEADLINE)
    assert sorted(listed) == ["friar@localhost", "nurse@localhost"]
    with pytest.raises(IqError, match="forbidden"):
        await juliet.plugin["xep_0045"].get_room_config(room, timeout=DEADLINE)


async def test_a_members_only_room_lets_in_who_is_invited(clients: Clients, room: str) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await romeo.open_room(room, "Romeo", membersonly=True)
    with pytest.raises(PresenceError, match="registration-required"):
        await juliet.join(room, "Juliet")
    romeo.plugin["xep_0045"].invite(room, juliet.boundjid.bare, reason="a feast")
    invited = await juliet.message(from_=JID(room))
    assert invited["muc"]["invite"]["from"].bare == romeo.boundjid.bare
    assert invited["muc"]["invite"]["reason"] == "a feast"
    await juliet.join(room, "Juliet")
    benvolio = await clients.online()
    juliet.plugin["xep_0249"].send_invitation(benvolio.boundjid.bare, room, reason="come too")
    direct = await benvolio.message(from_=juliet.boundjid)
    assert direct["groupchat_invite"]["jid"] == room


async def test_a_password_opens_the_room(clients: Clients, room: str) -> None:
    romeo, juliet = await clients.online(), await clients.online()
    await romeo.open_room(room, "Romeo", passwordprotectedroom=True, roomsecret="queen mab")
    with pytest.raises(PresenceError, match="not-authorized"):
        await juliet.join(room, "Juliet")
    await juliet.join(room, "Juliet", password="queen mab")


async def test_a_visitor_asks_for_voice(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room, moderatedroom=True)
    juliet.say(room, "Speak")
    assert (await juliet.message(type="error"))["error"]["condition"] == "forbidden"
    juliet.plugin["xep_0045"].request_voice(room, "participant")
    request = await romeo.message(from_=JID(room))
    assert request["form"]["values"]["muc#roomnick"] == "Juliet"
    await romeo.plugin["xep_0045"].set_role(room, "Juliet", "participant", timeout=DEADLINE)
    await juliet.presence(f"{room}/Juliet", type="available")
    juliet.say(room, "Speak again")
    await romeo.message("Speak again")


async def test_the_room_is_destroyed(clients: Clients, room: str) -> None:
    romeo, juliet = await meet(clients, room)
    await romeo.plugin["xep_0045"].destroy(room, "a plague", f"other-{room}", timeout=DEADLINE)
    gone = await juliet.presence(f"{room}/Juliet", type="unavailable")
    assert gone.xml.find("*/{http://jabber.org/protocol/muc#user}destroy").get("jid") == f"other-{room}"
    with pytest.raises(IqError, match="item-not-found"):
        await juliet.plugin["xep_0030"].get_info(room, timeout=DEADLINE)


async def test_a_client_asks_whether_it_is_still_in(clients: Clients, room: str) -> None:
    _, juliet = await meet(clients, room)
    ping = juliet.plugin["xep_0410"].send_self_ping
    assert await ping(JID(f"{room}/Juliet"), juliet.boundjid, timeout=DEADLINE) is PingStatus.JOINED
    juliet.plugin["xep_0045"].leave_muc(room, "Juliet")
    assert await ping(JID(f"{room}/Juliet"), juliet.boundjid, timeout=DEADLINE) is PingStatus.DISCONNECTED


async def test_requests_go_through_the_room_to_an_occupant(clients: Clients, room: str) -> None:
    romeo, _ = await meet(clients, room)
    version = await romeo.plugin["xep_0092"].get_version(f"{room}/Juliet", timeout=DEADLINE)
    assert version["software_version"]["name"] == "Slixmpp"
    await romeo.plugin["xep_0199"].send_ping(f"{room}/Juliet", timeout=DEADLINE)


async def test_public_rooms_are_listed_and_others_are_not(clients: Clients, room: str) -> None:
    romeo = await clients.online()
    await romeo.open_room(room, "Romeo", publicroom=True, roomname="The square")
    await romeo.open_room(f"hidden-{room}", "Romeo")
    items = (await romeo.plugin["xep_0030"].get_items("conference.localhost", timeout=DEADLINE))["disco_items"]["items"]
    found = {str(jid): name for jid, _, name in items}
    assert found.get(room) == "The square"
    assert f"hidden-{room}" not in found
