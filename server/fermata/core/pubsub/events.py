"""The payloads that tell of nodes: events (XEP-0060 §7.1.2 and others), and lists of items."""

from collections.abc import Iterable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element
from ...xmpp.jid import JID
from .node import Entry, Node

EVENT: Final = "{%s}event" % ns.PUBSUB_EVENT


def item(uri: str, node: Node, id: str, entry: Entry | None, payload: Element | None) -> Element:
    """An `<item/>` in a namespace; its publisher is named where the node is set up so (§7.1.2.3)."""
    element = Element("{%s}item" % uri, {"id": id} if id else {})
    if entry is not None and node.config.itemreply == "publisher":
        element.set("publisher", entry.publisher)
    if payload is not None:
        element.append(payload)
    return element


def published(node: Node, items: Iterable[Element]) -> Element:
    """Items are new, or new again."""
    return _event("items", node, items)


def retracted(node: Node, ids: Iterable[str]) -> Element:
    """Items are gone (§7.2.2.1)."""
    return _event("items", node, (E("{%s}retract" % ns.PUBSUB_EVENT, {"id": id}) for id in ids))


def purged(node: Node) -> Element:
    """All items are gone (§8.5.2)."""
    return _event("purge", node)


def deleted(node: Node, redirect: str) -> Element:
    """The node is gone (§8.4.2)."""
    instead = [E("{%s}redirect" % ns.PUBSUB_EVENT, {"uri": redirect})] if redirect else ()
    return _event("delete", node, instead)


def reconfigured(node: Node, form: Element | None) -> Element:
    """The node is set up in another way (§8.2.5.3)."""
    return _event("configuration", node, () if form is None else [form])


def subscription_changed(node: Node, jid: JID, state: str) -> Element:
    """A subscription was approved, denied or cancelled (§12.12)."""
    event = _event("subscription", node)
    event[0].set("jid", jid)
    event[0].set("subscription", state)
    return event


def _event(name: str, node: Node, children: Iterable[Element] = ()) -> Element:
    return E(EVENT, None, E("{%s}%s" % (ns.PUBSUB_EVENT, name), {"node": node.name}, *children))
