"""Several changes of the items of one node in one step: all of them, or none."""

from collections.abc import Iterable

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, serialise
from ...xmpp.errors import StanzaError
from ...xmpp.pubsub import ITEM, NodeRequest
from .access import Requester
from .effects import Effects
from .lifecycle import check_name
from .node import ITEM_OVERHEAD
from .nodes import Nodes
from .publish import publish, retract


def rewrite(
    nodes: Nodes, requester: Requester, name: str, edits: Iterable[tuple[str, Element | None]], now: float
) -> Effects:
    """Publishes and retracts items (id and payload, or None) of a node of the requester's own. Raises StanzaError."""
    edits = list(edits)
    _check(nodes, requester, name, edits)
    effects = Effects()
    for id, payload in edits:
        if payload is None:
            step = retract(nodes, requester, NodeRequest("retract", name, ids=(id,)))
        else:
            item = Element(ITEM, {"id": id})
            item.append(payload)
            step = publish(nodes, requester, NodeRequest("publish", name, items=(item,)), now, lambda: "")
        effects.records += step.records
        effects.changes += step.changes
        effects.notices += step.notices
    return effects


def _check(nodes: Nodes, requester: Requester, name: str, edits: list[tuple[str, Element | None]]) -> None:
    """Whether nothing can go wrong half-way."""
    node, added, ids = nodes.get(name), 0, set[str]()
    if node is None:
        nodes.check_room_for_node(requester.jid.bare)
    else:
        ids.update(node.items)
    for id, payload in edits:
        old = None if node is None else node.items.get(id)
        added -= 0 if old is None else old.size
        ids.discard(id)
        if payload is not None:
            check_name(id)
            ids.add(id)
            size = len(serialise(payload, ns.PUBSUB).encode())
            if size > nodes.limits.payload:
                raise StanzaError("policy-violation", f"an item can have {nodes.limits.payload} bytes")
            added += size + len(id) + ITEM_OVERHEAD
    if len(ids) > nodes.limits.items:
        raise StanzaError("policy-violation", f"a node can have {nodes.limits.items} items")
    nodes.check_bytes(requester.jid.bare, added)
