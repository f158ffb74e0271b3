"""Several changes of the items of one's own nodes in one step: all of them, or none."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.element import Element, serialise
from ...xmpp.errors import StanzaError
from ...xmpp.pubsub import ITEM, NodeRequest
from .access import Requester
from .config_form import ACCESS_MODEL
from .effects import Effects
from .lifecycle import check_name
from .node import ITEM_OVERHEAD
from .nodes import Nodes
from .publish import publish, retract


class Rewritten(NamedTuple):
    """What becomes of the item with that id on a node: a new payload or, for None, it goes.

    A node that is made for it gets that access model, if one is named.
    """

    node: str
    id: str
    payload: Element | None
    access_model: str = ""


def rewrite(nodes: Nodes, requester: Requester, edits: Iterable[Rewritten], now: float) -> Effects:
    """Publishes and retracts items. Raises StanzaError, and then nothing has changed."""
    edits = list(edits)
    _check(nodes, requester, edits)
    effects = Effects()
    for edit in edits:
        if edit.payload is None:
            step = retract(nodes, requester, NodeRequest("retract", edit.node, ids=(edit.id,)))
        else:
            item = Element(ITEM, {"id": edit.id})
            item.append(edit.payload)
            form = _options(edit.access_model) if edit.access_model and nodes.get(edit.node) is None else None
            step = publish(nodes, requester, NodeRequest("publish", edit.node, form, (item,)), now, str)
        effects.records += step.records
        effects.changes += step.changes
        effects.notices += step.notices
    return effects


def _options(access_model: str) -> Form:
    return Form("submit", ns.PUBSUB_PUBLISH_OPTIONS, (Field.text_single(ACCESS_MODEL, access_model),))


def _check(nodes: Nodes, requester: Requester, edits: Sequence[Rewritten]) -> None:
    """Whether nothing can go wrong half-way."""
    added = 0
    ids: dict[str, set[str]] = {}
    for name, id, payload, _ in edits:
        node = nodes.get(name)
        present = ids.setdefault(name, set() if node is None else set(node.items))
        old = None if node is None else node.items.get(id)
        added -= 0 if old is None else old.size
        present.discard(id)
        if payload is not None:
            check_name(id)
            present.add(id)
            added += _size(nodes, id, payload)
    made = sum(nodes.get(name) is None for name in ids)
    nodes.check_room_for_nodes(requester.jid.bare, made)
    if max(map(len, ids.values()), default=0) > nodes.limits.items + _ONE_TOO_MANY:
        raise StanzaError("policy-violation", f"a node can have {nodes.limits.items} items")
    nodes.check_bytes(requester.jid.bare, added)


#: a node that is full makes room for one item more: the oldest goes
_ONE_TOO_MANY: Final = 1


def _size(nodes: Nodes, id: str, payload: Element) -> int:
    size = len(serialise(payload, ns.PUBSUB).encode())
    if size > nodes.limits.payload:
        raise StanzaError("policy-violation", f"an item can have {nodes.limits.payload} bytes")
    return size + len(id) + ITEM_OVERHEAD
