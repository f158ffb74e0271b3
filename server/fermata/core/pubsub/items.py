"""How items leave a node."""

import math
from collections.abc import Iterable

from .effects import Changed, Effects
from .node import Node
from .nodes import Nodes
from .records import ItemRemoved


def surplus(nodes: Nodes, node: Node, now: float) -> list[str]:
    """The ids of what has expired and, of what is more than the node may have, of the oldest."""
    most = min(node.config.max_items or math.inf, nodes.limits.items)
    gone = [id for id, entry in node.items.items() if node.is_over(entry, now)] if node.config.item_expire else []
    excess = len(node.items) - len(gone) - most
    if excess > 0:
        gone += [id for id in node.items if id not in set(gone)][: int(excess)]
    return gone


def discard(nodes: Nodes, node: Node, ids: Iterable[str], effects: Effects) -> None:
    """Takes items from a node."""
    for id in ids:
        nodes.take(node, id)
        effects.records.append(ItemRemoved(nodes.number, node.name, id))
        effects.changes.append(Changed(node.name, id, None))
