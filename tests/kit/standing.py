"""Ben, who has opened a room, and Ann, whose account is in it because she has bookmarked it (docs/design/0006)."""

import pytest

from fermata.services.standins import StandIns
from fermata.xmpp.jid import JID

from . import ns
from .muc import create
from .pubsub import bookmark as publish_bookmark
from .stanzas import text
from .wire import Client
from .world import World

ROOM = "tea@conference.localhost"


@pytest.fixture
def ben(world: World) -> Client:
    """The owner of the room, with a client of his own in it."""
    client = world.online("ben@localhost/desk")
    create(client, ROOM, "Ben")
    return client


@pytest.fixture
def ann(world: World, ben: Client) -> Client:
    """A person whose account is in the room, as Ben has seen; her phone is not attached."""
    client = world.online("ann@localhost/phone")
    bookmark(client)
    ben.expect("presence", from_=f"{ROOM}/Ann")
    return client


def bookmark(client: Client, room: str = ROOM, nick: str = "Ann", autojoin: bool = True, inside: str = "") -> None:
    """Publishes a bookmark; nothing of that is left to read."""
    publish_bookmark(client, room, nick, autojoin, inside)


def say(client: Client, body: str, room: str = ROOM) -> None:
    client.send(f"<message to='{room}' type='groupchat' id='{body}'><body>{body}</body></message>")


def hears(client: Client, body: str) -> None:
    message = client.expect("message", type="groupchat")
    assert text(message, "body") == body


def virtual(world: World, account: str = "ann@localhost") -> str:
    """As whom an account stands in rooms."""
    holder = world.parts.services[StandIns].holder(JID.parse(account))
    assert holder is not None
    return holder.me


def rooms(client: Client) -> list[dict[str, str]]:
    """Where the account says that it is."""
    return [dict(each.attrib) for each in client.get(f"<rooms xmlns='{ns.JOINING}'/>", client.bare)[0]]
