"""Entering a room again for little, on the wire: what clients say for it, and what they remember."""

from . import ns
from .muc import Entry, entered, join
from .stanzas import Element, find, quoteattr, show
from .wire import Client

ASKING = f"<presence-session xmlns='{ns.PRESENCE_SESSION}'/>"


def mark(stanza: Element) -> tuple[str, str]:
    """The session and id in a stanza (XEP-0311)."""
    found = find(stanza, "presence-session:presence-session")
    assert found is not None, show(stanza)
    return found.get("session", ""), found.get("id", "")


def resuming(known: tuple[str, str]) -> str:
    """What asks for the changes since then."""
    session, id = (quoteattr(each) for each in known)
    return f"<presence-session xmlns='{ns.PRESENCE_SESSION}' session={session} id={id} type='resume'/>"


def missed(after: str, most: int = 100) -> str:
    """What asks for the messages after one that was seen."""
    return f"<history xmlns='{ns.HISTORY}' after={quoteattr(after)} max='{most}'/>"


def rejoin(room: str, nick: str, inside: str = "", presence: str = "", id: str = "again") -> str:
    """A presence that lets its sender in if he is not."""
    element = f"<rejoin-if-needed xmlns='{ns.REJOIN}'>{inside}</rejoin-if-needed>"
    return f"<presence to={quoteattr(f'{room}/{nick}')} id={quoteattr(id)}>{presence}{element}</presence>"


def join_with(client: Client, room: str, nick: str, inside: str) -> Entry:
    """Enter with more in the `<x/>`."""
    client.send(join(room, nick).replace(f"<x xmlns='{ns.MUC}'></x>", f"<x xmlns='{ns.MUC}'>{inside}</x>"))
    return entered(client, room)
