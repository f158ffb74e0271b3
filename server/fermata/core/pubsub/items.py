"""How items leave a node without anybody having asked for just these."""

import math

from ..records import Record
from .node import Node
from .nodes import Nodes
from .records import ItemRemoved


def make_room(nodes: Nodes, node: Node, now: float) -> list[Record]:
    """Discards what has expired and, of what is more than the node may have, the oldest."""
    most = min(node.config.max_items or math.inf, nodes.limits.items)
    gone = [id for id, entry in node.items.items() if node.is_over(entry, now)] if node.config.item_expire else []
    discarded = _discard(nodes, node, gone)
    surplus = len(node.items) - most
    return discarded + (_discard(nodes, node, list(node.items)[: int(surplus)]) if surplus > 0 else [])


def discard_all(nodes: Nodes, node: Node) -> list[Record]:
    """Takes all items from a node."""
    return _discard(nodes, node, list(node.items))


def _discard(nodes: Nodes, node: Node, ids: list[str]) -> list[Record]:
    for id in ids:
        nodes.take(node, id)
    return [ItemRemoved(nodes.number, node.name, id) for id in ids]
