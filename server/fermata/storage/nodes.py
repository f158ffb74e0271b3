"""Nodes of publish-subscribe, their items, affiliations and subscriptions."""

from sqlalchemy import bindparam, literal_column, select

from ..core.pubsub.nodes import Stored
from ..core.pubsub.records import ItemSaved, NodeAffiliationSaved, NodeSaved, NodeSubscriptionSaved
from .reader import Reader
from .tables import item, node, node_affiliation, node_subscription

_NODES = select(*(node.c[field] for field in NodeSaved._fields)).where(node.c.owner == bindparam("owner"))
_ITEMS = (
    select(*(item.c[field] for field in ItemSaved._fields[:-1]), literal_column("''"))
    .where(item.c.owner == bindparam("owner"))
    .order_by(item.c.seq)
)
_AFFILIATIONS = select(*(node_affiliation.c[field] for field in NodeAffiliationSaved._fields)).where(
    node_affiliation.c.owner == bindparam("owner")
)
_SUBSCRIPTIONS = select(*(node_subscription.c[field] for field in NodeSubscriptionSaved._fields)).where(
    node_subscription.c.owner == bindparam("owner")
)
_OF_NODE = item.c.owner == bindparam("owner"), item.c.node == bindparam("node")
_PAYLOADS = select(item.c.id, item.c.xml).where(*_OF_NODE, item.c.seq.between(bindparam("first"), bindparam("last")))
_PAYLOAD = select(item.c.xml).where(*_OF_NODE, item.c.id == bindparam("id"))


class SQLNodes:
    """What is kept of nodes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def nodes(self, owner: int) -> Stored:
        """Everything about the nodes of an owner but the payloads of items."""
        rows = self._reader.rows
        nodes = [NodeSaved(*row) for row in await rows(_NODES, owner=owner)]
        if not nodes:
            return Stored()
        return Stored(
            nodes,
            [ItemSaved(*row) for row in await rows(_ITEMS, owner=owner)],
            [NodeAffiliationSaved(*row) for row in await rows(_AFFILIATIONS, owner=owner)],
            [NodeSubscriptionSaved(*row) for row in await rows(_SUBSCRIPTIONS, owner=owner)],
        )

    async def payloads(self, owner: int, node: str, first: int, last: int) -> dict[str, str]:
        """The payloads of a node's items in that range of `seq`, by their ids, as XML; empty for an item without."""
        return dict(await self._reader.rows(_PAYLOADS, owner=owner, node=node, first=first, last=last))

    async def payload(self, owner: int, node: str, id: str) -> str | None:
        """The payload of one item, if that is there."""
        for (xml,) in await self._reader.rows(_PAYLOAD, owner=owner, node=node, id=id):
            return str(xml)
        return None
