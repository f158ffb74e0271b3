"""Publishing, retracting and purging (XEP-0060 §7, §8.5)."""

import math
from collections.abc import Callable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, serialise
from ...xmpp.errors import StanzaError
from ...xmpp.pubsub import PUBSUB, NodeRequest, error, unsupported
from . import events
from .access import Requester, check_owner, may_publish
from .config_form import demanded, differences, unmet
from .effects import Changed, Effects, Notice
from .items import discard, surplus
from .lifecycle import check_name, make
from .node import ITEM_OVERHEAD, Entry, Node
from .nodes import Nodes
from .records import ItemSaved

_PUBLISH: Final = "{%s}publish" % ns.PUBSUB
_ITEM: Final = "{%s}item" % ns.PUBSUB


def publish(nodes: Nodes, requester: Requester, request: NodeRequest, now: float, new_id: Callable[[], str]) -> Effects:
    """Publishes an item, on a node that is made for it if there is none (§7.1). Raises StanzaError."""
    effects = Effects()
    node = _node_for(nodes, requester, request, now, effects)
    item = _only(request)
    payload, xml = _payload(nodes, node, item)
    _check_event_type(node, item, payload)
    id = "" if item is None else item.get("id", "")
    entry = None
    if item is not None:
        id = id or new_id()
        check_name(id)
        entry = Entry(nodes.next_seq(), now, requester.jid.bare, len(xml.encode()) + len(id) + ITEM_OVERHEAD)
        if node.config.persist_items:
            nodes.check_room(node, id, entry.size)
    if nodes.get(node.name) is None:
        nodes.add(node)
    if entry is not None and node.config.persist_items:
        nodes.put(node, id, entry)
        effects.records.append(ItemSaved(nodes.number, node.name, id, *entry[:3], entry.size, xml))
        effects.changes.append(Changed(node.name, id, payload))
        discard(nodes, node, surplus(nodes, node, now), effects)
    if node.config.deliver_notifications:
        shown = payload if node.config.deliver_payloads else None
        told = [] if item is None else [events.item(ns.PUBSUB_EVENT, node, id, entry, shown)]
        effects.notices.append(Notice(node, events.published(node, told), id=id))
    effects.answer = E(PUBSUB, None, E(_PUBLISH, {"node": node.name}, *([E(_ITEM, {"id": id})] if id else [])))
    return effects


def _node_for(nodes: Nodes, requester: Requester, request: NodeRequest, now: float, effects: Effects) -> Node:
    """The node that is published to; a new one is not among the nodes yet, in case something else is wrong."""
    node, form, models = nodes.get(request.node), request.form, nodes.kind.access_models
    if not request.node:
        raise error("bad-request", "nodeid-required", "no node is named")
    if node is None:
        if not requester.may_create:
            raise StanzaError("item-not-found", "there is no such node")
        config = nodes.kind.defaults(request.node)
        if form is not None:
            config = demanded(config, form, models)
        node, records = make(nodes, requester, request.node, config, now)
        effects.records += records
        return node
    if not may_publish(nodes, node, requester):
        raise StanzaError("forbidden", "you may not publish here")
    if form is not None:
        wrong = differences(node.config, demanded(node.config, form, models))
        if wrong:
            raise unmet(", ".join(wrong))
    return node


def _only(request: NodeRequest) -> Element | None:
    if len(request.items) > 1:
        raise error("not-allowed", "max-items-exceeded", "one item at a time")
    return request.items[0] if request.items else None


def _payload(nodes: Nodes, node: Node, item: Element | None) -> tuple[Element | None, str]:
    if item is None or not len(item):
        return None, ""
    if len(item) > 1:
        raise error("bad-request", "invalid-payload", "an item has one payload")
    payload, xml = item[0], serialise(item[0], ns.PUBSUB)
    most = min(nodes.limits.payload, node.config.max_payload_size or math.inf)
    if len(xml) > most or len(xml.encode()) > most:
        raise error("not-acceptable", "payload-too-big", f"a payload can have {most} bytes")
    return payload, xml


def _check_event_type(node: Node, item: Element | None, payload: Element | None) -> None:
    """§4.3, §7.1.3.6."""
    config = node.config
    if item is None:
        if config.persist_items or config.deliver_payloads:
            raise error("bad-request", "item-required", "there is no item")
    elif not config.persist_items and not config.deliver_payloads:
        raise error("bad-request", "item-forbidden", "the node has no items")
    elif payload is None and config.deliver_payloads:
        raise error("bad-request", "payload-required", "there is no payload")


def retract(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Deletes items (§7.2). Raises StanzaError."""
    node = nodes.node(request.node)
    is_owner = nodes.is_owner(node, requester.jid)
    if not is_owner and not may_publish(nodes, node, requester):
        raise StanzaError("forbidden", "you may not retract here")
    if not request.ids or not all(request.ids):
        raise error("bad-request", "item-required", "no item is named")
    if not node.config.persist_items:
        raise unsupported("persistent-items")
    effects = Effects()
    for id in dict.fromkeys(request.ids):
        entry = node.items.get(id)
        if entry is None:
            raise StanzaError("item-not-found", "there is no such item")
        if not is_owner and entry.publisher != requester.jid.bare:
            raise StanzaError("forbidden", "somebody else has published it")
    discard(nodes, node, dict.fromkeys(request.ids), effects)
    notify = node.config.notify_retract if request.notify is None else request.notify
    if notify and node.config.deliver_notifications:
        effects.notices.append(Notice(node, events.retracted(node, dict.fromkeys(request.ids))))
    return effects


def purge(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Deletes all items of a node (§8.5). Raises StanzaError."""
    node = nodes.node(request.node)
    check_owner(nodes, node, requester)
    if not node.config.persist_items:
        raise unsupported("persistent-items")
    effects = Effects()
    discard(nodes, node, list(node.items), effects)
    if node.config.deliver_notifications:
        effects.notices.append(Notice(node, events.purged(node)))
    return effects
