"""What one client says privately in a room that its account is in is seen by the others that are there (XEP-0280)."""

import pytest

from fermata.core.standin.state import Standing
from fermata.services.standins import StandIns
from fermata.xmpp.jid import JID
from kit import ns
from kit.archives import page, query
from kit.carbons import enable, expect_copy, heard
from kit.muc import create, enter
from kit.pubsub import bookmark
from kit.stanzas import find, find_all, text
from kit.wire import Client
from kit.world import World, world, worlds

__all__ = ["world", "worlds"]

ROOM = "tea@conference.localhost"
ANN, BEN = f"{ROOM}/Ann", f"{ROOM}/Ben"


def psst(client: Client, content: str = "<body>psst</body>", to: str = BEN, id: str = "psst") -> None:
    client.send(f"<message to='{to}' type='chat' id='{id}'>{content}</message>")


def attach(world: World, resource: str) -> Client:
    client = world.online(f"ann@localhost/{resource}")
    enter(client, ROOM, "Ann")
    return client


@pytest.fixture
def ben(world: World) -> Client:
    client = world.online("ben@localhost/desk")
    create(client, ROOM, "Ben")
    return client


@pytest.fixture
def phone(world: World, ben: Client) -> Client:
    """A client whose account is in the room."""
    client = world.online("ann@localhost/phone")
    bookmark(client, ROOM, "Ann")
    ben.expect("presence", from_=ANN)
    enter(client, ROOM, "Ann")
    return client


@pytest.fixture
def tablet(world: World, phone: Client) -> Client:
    """Another one; both want copies."""
    client = attach(world, "tablet")
    enable(phone, client)
    phone.sync()
    return client


def test_what_one_client_says_privately_the_others_see(
    world: World, ben: Client, phone: Client, tablet: Client
) -> None:
    outside, does_not_want = world.online("ann@localhost/laptop"), attach(world, "watch")
    enable(outside)
    for client in (phone, tablet, outside):
        client.sync()
    psst(phone)
    message = expect_copy(tablet, "sent", "psst")
    assert (message.get("to"), JID.parse(message.get("from", "")).bare) == (BEN, "ann@localhost")
    assert len(find_all(message, "user:x")) == 1
    stamp = find(message, "sid:stanza-id[@by='ann@localhost']")
    assert stamp is not None
    assert text(ben.expect("message", from_=ANN), "body") == "psst"
    for client in (phone, tablet, outside, does_not_want):
        client.nothing_before()
    assert stamp.get("id") == page(phone, query()).ids[-1]


def test_a_client_that_is_there_by_itself_belongs_to_them(
    world: World, ben: Client, phone: Client, tablet: Client
) -> None:
    alone = world.online("ann@localhost/alone")
    alone.send(f"<presence to='{ANN}'><x xmlns='{ns.MUC}'/><direct xmlns='urn:x-fermata:account-join:0'/></presence>")
    enable(alone)
    for client in (alone, phone, tablet):
        client.sync()
    psst(phone)
    expect_copy(tablet, "sent", "psst")
    expect_copy(alone, "sent", "psst")
    psst(alone)
    expect_copy(tablet, "sent", "psst")
    expect_copy(phone, "sent", "psst")


def test_what_is_said_to_the_account_comes_to_each_once(ben: Client, phone: Client, tablet: Client) -> None:
    psst(ben, to=ANN)
    assert heard(phone) == heard(tablet) == ["psst"]


@pytest.mark.parametrize("hint", [f"<private xmlns='{ns.CARBONS}'/>", f"<no-copy xmlns='{ns.HINTS}'/>"])
def test_what_is_private_is_seen_by_nobody_else(ben: Client, phone: Client, tablet: Client, hint: str) -> None:
    psst(phone, f"<body>psst</body>{hint}")
    phone.send(f"<message to='{ROOM}' type='groupchat'><body>hello</body></message>")
    assert heard(tablet) == ["hello"]


def test_a_chat_state_is_seen_as_well(ben: Client, phone: Client, tablet: Client) -> None:
    psst(phone, f"<composing xmlns='{ns.CHAT_STATES}'/>")
    assert find(expect_copy(tablet, "sent"), f"{{{ns.CHAT_STATES}}}composing") is not None


def test_what_the_room_refuses_at_once_is_seen_by_nobody_else(ben: Client, phone: Client, tablet: Client) -> None:
    psst(phone, to=f"{ROOM}/Nobody")
    phone.expect_error("message", "item-not-found", id="psst")
    tablet.nothing_before()


def test_what_was_said_while_the_room_was_out_of_reach_is_seen_once_it_goes_out(
    world: World, ben: Client, phone: Client, tablet: Client
) -> None:
    stand_ins = world.parts.services[StandIns]
    holder = stand_ins.holder(JID.parse("ann@localhost"))
    assert holder is not None
    stand_in = holder.rooms[JID.parse(ROOM)]
    stand_in.state.standing = Standing.FALLEN
    psst(phone)
    assert heard(tablet) == []
    stand_in.state.standing = Standing.IN
    stand_ins.performer.perform(holder, stand_in, stand_in.sure())
    world.turn()
    expect_copy(tablet, "sent", "psst")
    assert heard(phone) == []
    assert text(ben.expect("message", from_=ANN), "body") == "psst"


def test_invitations_are_seen_by_all_clients(world: World, ben: Client, phone: Client, tablet: Client) -> None:
    outside = world.online("ann@localhost/laptop")
    enable(outside)
    for client in (phone, tablet):
        client.sync()
    invite = f"<x xmlns='{ns.MUC_USER}'><invite to='cat@localhost'/></x>"
    phone.send(f"<message to='{ROOM}'>{invite}</message>")
    for client in (tablet, outside):
        assert find(expect_copy(client, "sent"), "user:x/user:invite") is not None
    phone.nothing_before()
