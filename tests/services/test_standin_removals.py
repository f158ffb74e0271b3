"""Whom people remove from a room is out with all clients, and stays out until somebody wants it otherwise."""

from collections.abc import Callable

import pytest

from kit import ns
from kit.muc import change, configure, enter, join
from kit.standing import ROOM, bookmark, rooms
from kit.stanzas import codes, find, text
from kit.wire import Client
from kit.world import World

USER = "http://jabber.org/protocol/muc#user"
DESTROY = f"<query xmlns='{ns.MUC_OWNER}'><destroy jid='coffee@conference.localhost'/></query>"


def kicked(ben: Client) -> str:
    ben.set(change(nick="Ann", role="none"), ROOM)
    return "307"


def banned(ben: Client) -> str:
    ben.set(change(jid="ann@localhost", affiliation="outcast"), ROOM)
    return "301"


def shut_out(ben: Client) -> str:
    ben.send(
        f"<iq type='set' id='m' to='{ROOM}'><query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'>"
        "<field var='muc#roomconfig_membersonly'><value>1</value></field></x></query></iq>"
    )
    return "322"


def expelled(ben: Client) -> str:
    """Loses membership where that is needed."""
    ben.set(change(jid="ann@localhost", affiliation="member"), ROOM)
    configure(ben, ROOM, membersonly="1")
    ben.set(change(jid="ann@localhost", affiliation="none"), ROOM)
    return "321"


def destroyed(ben: Client) -> str:
    ben.send(f"<iq type='set' id='d' to='{ROOM}'>{DESTROY}</iq>")
    return ""


Remove = Callable[[Client], str]
ALL: list[Remove] = [kicked, banned, shut_out, expelled, destroyed]


@pytest.fixture
def phone(ann: Client) -> Client:
    enter(ann, ROOM, "Ann")
    return ann


@pytest.fixture
def tablet(world: World, phone: Client) -> Client:
    client = world.online("ann@localhost/tablet")
    phone.sync()
    enter(client, ROOM, "Ann")
    return client


@pytest.mark.parametrize("remove", ALL)
def test_every_client_and_the_ledger_hear_of_it(
    world: World, phone: Client, tablet: Client, ben: Client, remove: Remove
) -> None:
    code = remove(ben)
    for client in (phone, tablet):
        gone = client.wait_for(lambda stanza: stanza.get("type") == "unavailable")
        assert gone.get("from") == f"{ROOM}/Ann"
        assert codes(gone) >= ({"110", code} if code else {"110"})
        assert (find(gone, f"{{{USER}}}x/{{{USER}}}destroy") is not None) == (not code)
    world.advance(3000)
    (room,) = rooms(phone)
    assert (room["state"], room["bookmarked"]) == ("removed", "true")
    assert [each for each in (*phone.sync(), *tablet.sync()) if each.tag == "presence"] == []


@pytest.mark.parametrize("remove", ALL)
def test_it_holds_over_a_crash_and_the_next_login(world: World, ann: Client, ben: Client, remove: Remove) -> None:
    remove(ben)
    ann.close()
    world.turn()
    world.crash()
    ann = world.online("ann@localhost/phone")
    world.advance(3000)
    assert rooms(ann)[0]["state"] == "removed"
    assert world.parts.standing_in._guard is not None
    assert len(world.parts.standing_in._guard) == 0, "nobody tries to get in"


def test_a_client_that_enters_takes_back_a_kick(world: World, ann: Client, ben: Client) -> None:
    kicked(ben)
    world.turn()
    ann.sync()
    assert enter(ann, ROOM, "Ann").own.get("from") == f"{ROOM}/Ann"
    assert rooms(ann)[0]["state"] == "in"


def test_a_client_that_enters_a_room_that_has_moved_is_told_where_to(world: World, ann: Client, ben: Client) -> None:
    destroyed(ben)
    world.turn()
    ann.sync()
    ann.send(join(ROOM, "Ann", id="j"))
    error = ann.expect_error("presence", "gone", id="j")
    assert text(error, "error/{urn:ietf:params:xml:ns:xmpp-stanzas}gone") == "xmpp:coffee@conference.localhost?join"


def test_a_bookmark_that_is_published_anew_takes_back_a_kick(world: World, ann: Client, ben: Client) -> None:
    kicked(ben)
    world.turn()
    bookmark(ann)
    world.advance(5)
    assert rooms(ann)[0]["state"] == "in"


def test_a_ban_is_not_forgotten_with_a_new_bookmark(world: World, ann: Client, ben: Client) -> None:
    banned(ben)
    world.turn()
    bookmark(ann)
    world.advance(5)
    (room,) = rooms(ann)
    assert room["state"] == "removed"
    ben.set(change(jid="ann@localhost", affiliation="none"), ROOM)
    bookmark(ann)
    world.advance(5)
    assert rooms(ann)[0]["state"] == "in"


def test_a_role_that_changes_is_seen_by_all_clients(phone: Client, tablet: Client, ben: Client) -> None:
    phone.sync()
    ben.set(change(nick="Ann", role="moderator"), ROOM)
    for client in (phone, tablet):
        presence = client.expect("presence", from_=f"{ROOM}/Ann")
        item = find(presence, "user:x/user:item")
        assert item is not None
        assert (item.get("role"), codes(presence)) == ("moderator", {"110"})


def test_an_affiliation_that_changes_is_too(phone: Client, tablet: Client, ben: Client) -> None:
    phone.sync()
    ben.set(change(jid="ann@localhost", affiliation="admin"), ROOM)
    for client in (phone, tablet):
        item = find(client.expect("presence", from_=f"{ROOM}/Ann"), "user:x/user:item")
        assert item is not None
        assert item.get("affiliation") == "admin"
