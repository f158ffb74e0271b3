"""Which items somebody gets who asks for some (XEP-0060 §6.5)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.pubsub import NodeRequest, unsupported
from ...xmpp.rsm import Page
from .access import Requester, check_retrieve
from .node import Node
from .nodes import Nodes

#: what one answer may weigh, in bytes, if it has more than one item: a stanza has to arrive
_BYTES_MAX: Final = 400_000


class Chosen(NamedTuple):
    """The ids of items to be read, in this order; `where` is the `<set/>` if they are a page."""

    node: Node
    ids: Sequence[str]
    where: Element | None = None


def retrieve(nodes: Nodes, requester: Requester, request: NodeRequest, now: float) -> Chosen:
    """The items that a request is for, oldest first; of too many, a page (§6.5.4). Raises StanzaError."""
    node = nodes.node(request.node)
    check_retrieve(nodes, node, requester)
    if request.subid:
        raise StanzaError("not-acceptable", "subscriptions have no ids here")
    if not node.config.persist_items:
        raise unsupported("persistent-items")
    present = [id for id, entry in node.items.items() if not node.is_over(entry, now)]
    if request.ids:
        chosen = [id for id in dict.fromkeys(request.ids) if id in node.items]
        if not chosen:
            raise StanzaError("item-not-found", "there is no such item")
        return Chosen(node, _lightest(node, chosen))
    if request.max_items is not None:
        present = present[max(0, len(present) - max(1, request.max_items)) :]
    return _page(node, present, request.page)


def _page(node: Node, present: Sequence[str], page: Page | None) -> Chosen:
    if page is None:
        shown = _lightest(node, present)
        if len(shown) == len(present):
            return Chosen(node, shown)
        page = Page(len(shown))
    shown, where = page.of(present, lambda id: id)
    lighter = _lightest(node, shown)
    if len(lighter) < len(shown):
        shown, where = page._replace(max=len(lighter)).of(present, lambda id: id)
    return Chosen(node, shown, where)


def _lightest(node: Node, ids: Sequence[str]) -> Sequence[str]:
    """As many of the first of them as one stanza can carry, but at least one."""
    weight = 0
    for count, id in enumerate(ids):
        weight += node.items[id].weight
        if weight > _BYTES_MAX and count:
            return ids[:count]
    return ids
