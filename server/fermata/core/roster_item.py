"""A roster item (RFC 6121 §2.1.2): as it is kept, as a client asks for it, as clients are told of it."""

import json
from typing import Final, NamedTuple

from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError
from .records import Record, RosterItemRemoved, RosterItemSaved

MAX_LENGTH: Final = 1023  #: of a name and of a group, in characters (§2.3.3 leaves it to the server)
QUERY: Final = "{%s}query" % ns.ROSTER
ITEM: Final = "{%s}item" % ns.ROSTER
GROUP: Final = "{%s}group" % ns.ROSTER


class RosterItem(NamedTuple):
    """One item; `version` is the roster's after its last change.

    `subscription` is none, to, from or both; `remove` marks a tombstone: there is no such item any more.
    """

    jid: str
    name: str
    subscription: str
    ask: bool
    approved: bool
    groups: tuple[str, ...]
    version: int


class RosterSet(NamedTuple):
    """What a client asks for in a roster set: an item as it shall be, or that there shall be none."""

    jid: JID
    name: str
    groups: tuple[str, ...]
    remove: bool


def parse_roster_set(query: Element) -> RosterSet:
    """Reads the `<query/>` of a roster set; what a client may not decide is ignored (§2.1.2).

    Raises StanzaError: `bad-request`, `jid-malformed` or `not-acceptable` (§2.3.3).
    """
    items = [item for item in query if item.tag == ITEM]
    if len(items) != 1:
        raise StanzaError("bad-request", "a roster set has exactly one item")
    item = items[0]
    jid = _contact(item)
    if item.get("subscription") == "remove":
        return RosterSet(jid, "", (), remove=True)
    name = item.get("name", "")
    if len(name) > MAX_LENGTH:
        raise StanzaError("not-acceptable", "the name is too long")
    return RosterSet(jid, name, _groups(item), remove=False)


def _contact(item: Element) -> JID:
    text = item.get("jid")
    if not text:
        raise StanzaError("bad-request", "a roster item has a jid")
    try:
        jid = JID.parse(text)
    except JIDError as error:
        raise StanzaError("jid-malformed", str(error)) from None
    if jid.resource:
        # Subscriptions are between bare JIDs: an item for a full one could never have one.
        raise StanzaError("bad-request", "a roster item is for a bare JID")
    return jid


def _groups(item: Element) -> tuple[str, ...]:
    groups = tuple(group.text or "" for group in item if group.tag == GROUP)
    if len(set(groups)) != len(groups):
        raise StanzaError("bad-request", "a group is named twice")
    if not all(0 < len(group) <= MAX_LENGTH for group in groups):
        raise StanzaError("not-acceptable", "the name of a group is empty or too long")
    return groups


def item_element(item: RosterItem) -> Element:
    """The `<item/>` of a roster result or push."""
    element = Element(ITEM, {"jid": item.jid, "subscription": item.subscription})
    if item.name:
        element.set("name", item.name)
    if item.ask:
        element.set("ask", "subscribe")
    if item.approved:
        element.set("approved", "true")
    for name in item.groups:
        group = Element(GROUP)
        group.text = name
        element.append(group)
    return element


def item_record(account: int, item: RosterItem) -> Record:
    """The record that keeps an item, or its tombstone."""
    if item.subscription == "remove":
        return RosterItemRemoved(account, item.jid, item.version)
    groups = json.dumps(item.groups)
    return RosterItemSaved(
        account, item.jid, item.name, item.subscription, item.ask, item.approved, groups, item.version
    )
