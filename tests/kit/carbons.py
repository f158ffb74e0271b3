"""Copies of messages on the wire (XEP-0280)."""

from . import ns
from .stanzas import Element, find, find_all, show, text
from .wire import Client

ENABLE = f"<enable xmlns='{ns.CARBONS}'/>"
DISABLE = f"<disable xmlns='{ns.CARBONS}'/>"


def enable(*clients: Client) -> None:
    """They want copies."""
    for client in clients:
        client.set(ENABLE)


def message_in(copy: Element, name: str) -> Element:
    """The message of which this is a copy, `sent` or `received`."""
    found = find_all(copy, f"carbons:{name}/forward:forwarded/message")
    assert len(found) == 1, f"no copy of what was {name}: {show(copy)}"
    assert len(copy) == 1, f"a copy with something beside it: {show(copy)}"
    return found[0]


def expect_copy(client: Client, name: str, body: str | None = None) -> Element:
    """The next stanza, which has to be a copy; the message in it."""
    copy = client.expect("message", from_=client.bare, to=client.jid)
    message = message_in(copy, name)
    assert copy.get("type") == message.get("type"), show(copy)
    assert body is None or text(message, "body") == body, show(copy)
    return message


def heard(client: Client) -> list[str]:
    """What there is to be read: `body` of each message, with `sent ` or `received ` before that of a copy."""
    found = []
    for stanza in client.sync():
        if stanza.tag == "message":
            name = next((each for each in ("sent", "received") if find(stanza, f"carbons:{each}") is not None), "")
            message = message_in(stanza, name) if name else stanza
            found.append(f"{name} {text(message, 'body') or message.get('id', '')}".strip())
    return found
