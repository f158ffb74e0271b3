"""Sessions with stream management on the wire, on a real server (XEP-0198)."""

from . import ns
from .people import People
from .stanzas import Element, find, show
from .wire import Client


def name(client: Client) -> str:
    """Its localpart."""
    return client.jid.split("@")[0]


def managed(people: People, user: str | None = None) -> tuple[Client, str]:
    """An available session with stream management, and its id."""
    client = people.bound(user)
    id = client.enable().get("id")
    assert id
    client.available()
    return client, id


def resumed(people: People, user: str, id: str, h: int) -> Client:
    """A new connection that has resumed that session."""
    client = people.authenticated(user)
    answer = client.resume(id, h)
    assert answer.tag == f"{{{ns.SM}}}resumed", show(answer)
    assert answer.get("previd") == id
    return client


def say(sender: Client, receiver: Client, body: str) -> None:
    """A message whose id is its body."""
    sender.send(f"<message type='chat' to='{receiver.jid}' id='{body}'><body>{body}</body></message>")


def failure(element: Element, condition: str) -> Element:
    """That it says that resuming, or enabling, has failed, and why."""
    assert element.tag == f"{{{ns.SM}}}failed", show(element)
    assert find(element, f"errors:{condition}") is not None, show(element)
    return element
