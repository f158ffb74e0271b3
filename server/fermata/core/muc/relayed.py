"""A stanza as the room passes it on: from an occupant JID, without anything that only the room may say."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.delay import DELAY
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID, JIDError

_STANZA_ID: Final = "{%s}stanza-id" % ns.SID
LANG: Final = "{%s}lang" % ns.XML
# What clients may say to the room and must not say through it (XEP-0045 §17.3, XEP-0311, 0317, 0421, 0425, 0436, 0463).
_FORGED: Final = (
    "{" + ns.MUC + "}",
    "{" + ns.MUC_USER + "}",
    "{" + ns.OCCUPANT_ID + "}",
    "{" + ns.MODERATE + "}",
    "{" + ns.MODERATE_0 + "}",
    "{" + ns.HATS + "}",
    "{" + ns.PRESENCE_SESSION + "}",
    "{" + ns.PRESENCE_VERSIONING + "}",
    "{" + ns.MUC_AFFILIATION_VERSIONS + "}",
    "{" + ns.FERMATA,
)


def addressed(stanza: Element) -> JID:
    """What a stanza is addressed to. Raises StanzaError `jid-malformed`."""
    try:
        return JID.parse(stanza.get("to", ""))
    except JIDError:
        raise StanzaError("jid-malformed", "that is no address") from None


def passed_on(stanza: Element, room: JID) -> list[Element]:
    """The children of a stanza that may go through the room; they are shared with the original."""
    return [
        item for item in stanza if item.tag[0] != "{" or not (item.tag.startswith(_FORGED) or _speaks_for(room, item))
    ]


def _speaks_for(room: JID, item: Element) -> bool:
    """A stanza-id or a delay in the room's name: clients would take a live message for history."""
    return (item.tag == _STANZA_ID and item.get("by") == room) or (item.tag == DELAY and item.get("from") == room)


def relayed(stanza: Element, room: JID, sender: JID, type: str) -> Element:
    """The stanza as it goes through the room, from `sender`, with no `to`; the original is left as it is."""
    attributes: dict[str, str] = {"from": sender}
    for name in ("id", LANG):
        value = stanza.get(name)
        if value is not None:
            attributes[name] = value
    if type:
        attributes["type"] = type
    result = Element(stanza.tag, attributes)
    result.extend(passed_on(stanza, room))
    return result
