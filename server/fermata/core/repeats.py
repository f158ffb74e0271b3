"""By what a message is known that comes again: its ids, and what it says."""

from typing import Final

from ..xmpp import namespaces as ns
from ..xmpp.delay import DELAY
from ..xmpp.element import Element, serialise

_ORIGIN_ID: Final = "{%s}origin-id" % ns.SID
# What is not content: when, by whom and in which archive.
_AROUND: Final = frozenset({DELAY, "{%s}stanza-id" % ns.SID, "{%s}occupant-id" % ns.OCCUPANT_ID})


def ids(message: Element) -> list[str]:
    """Its id and its origin-id (XEP-0359), if it has any."""
    found = [message.get("id", ""), *(item.get("id", "") for item in message if item.tag == _ORIGIN_ID)]
    return [id for id in found if id]


def content(message: Element) -> tuple[str, ...]:
    """What it says, in an order that does not depend on its author's program."""
    return tuple(sorted(serialise(item) for item in message if item.tag not in _AROUND))
