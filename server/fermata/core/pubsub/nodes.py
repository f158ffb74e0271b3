"""All nodes of one publish-subscribe service: an account, or a domain (XEP-0060 §2, XEP-0163 §3)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from .config import GENERIC, NodeConfig, personal
from .node import Entry, Node, Subscription
from .records import ItemSaved, NodeAffiliationSaved, NodeSaved, NodeSubscriptionSaved


class Limits(NamedTuple):
    """What one account may keep: nodes, items on each, bytes of one payload, bytes of all; infinity is no limit."""

    nodes: float
    items: float
    payload: float
    total: float


class Kind(NamedTuple):
    """What sort of service it is."""

    is_account: bool
    access_models: tuple[str, ...]
    defaults: Callable[[str], NodeConfig]  #: how a node of that name is set up if nobody says otherwise


ACCOUNT: Final = Kind(True, ("open", "presence", "roster", "whitelist"), personal)
SERVICE: Final = Kind(False, ("open", "authorize", "whitelist"), lambda name: GENERIC)


class Stored(NamedTuple):
    """What storage has of a service; of the items, all but their payloads, from the oldest to the newest."""

    nodes: Iterable[NodeSaved] = ()
    items: Iterable[ItemSaved] = ()
    affiliations: Iterable[NodeAffiliationSaved] = ()
    subscriptions: Iterable[NodeSubscriptionSaved] = ()


_NOTHING: Final = Stored()


class Nodes:
    """The nodes by name. `number` is their owner's in storage, `jid` the service's address.

    An account owns its nodes without any affiliation that says so; on a domain, nodes have owners.
    """

    __slots__ = ("_next_seq", "_nodes", "_used", "_used_nodes", "jid", "kind", "limits", "number")

    def __init__(self, number: int, jid: JID, kind: Kind, limits: Limits, stored: Stored = _NOTHING) -> None:
        self.number, self.jid, self.kind, self.limits = number, jid, kind, limits
        self._nodes: dict[str, Node] = {}
        self._used: Counter[JID] = Counter()  # bytes by the creator of the node
        self._used_nodes: Counter[JID] = Counter()
        self._next_seq = 1
        for saved in stored.nodes:
            config = NodeConfig.from_json(saved.config)
            self.add(Node(saved.node, config, JID.parse(saved.creator), saved.stamp))
        for affiliation in stored.affiliations:
            self._nodes[affiliation.node].affiliations[JID.parse(affiliation.jid)] = affiliation.affiliation
        for subscription in stored.subscriptions:
            subscribed = Subscription(subscription.state, subscription.delivers)
            self._nodes[subscription.node].subscriptions[JID.parse(subscription.jid)] = subscribed
        for item in stored.items:
            entry = Entry(item.seq, item.stamp, JID.parse(item.publisher), item.size)
            self.put(self._nodes[item.node], item.id, entry)

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def get(self, name: str) -> Node | None:
        """The node of that name, if there is one."""
        return self._nodes.get(name)

    def node(self, name: str) -> Node:
        """The node of that name. Raises StanzaError `item-not-found`."""
        try:
            return self._nodes[name]
        except KeyError:
            raise StanzaError("item-not-found", "there is no such node") from None

    def is_owner(self, node: Node, jid: JID) -> bool:
        """Whether an address owns a node."""
        return (self.kind.is_account and jid.bare == self.jid) or node.affiliation(jid) == "owner"

    def owners(self, node: Node) -> list[JID]:
        """Everybody who owns a node (bare JIDs)."""
        return [self.jid, *node.owners()] if self.kind.is_account else node.owners()

    def next_seq(self) -> int:
        """The place of an item that is published now, behind all others."""
        self._next_seq += 1
        return self._next_seq - 1

    def add(self, node: Node) -> None:
        """There is another node."""
        self._nodes[node.name] = node
        self._used_nodes[node.creator] += 1

    def remove(self, node: Node) -> None:
        """A node is gone, with its items."""
        for id in list(node.items):
            self.take(node, id)
        del self._nodes[node.name]
        self._used_nodes[node.creator] -= 1

    def put(self, node: Node, id: str, entry: Entry) -> None:
        """A node has another item, or one in the place of one with the same id; it is the newest."""
        if id in node.items:
            self.take(node, id)
        node.items[id] = entry
        self._used[node.creator] += entry.size
        self._next_seq = max(self._next_seq, entry.seq + 1)

    def take(self, node: Node, id: str) -> None:
        """An item is gone."""
        self._used[node.creator] -= node.items.pop(id).size

    def check_room(self, node: Node, id: str, size: int) -> None:
        """Raises StanzaError `resource-constraint` if an item of that size would be too much."""
        old = node.items.get(id)
        self.check_bytes(node.creator, size - (old.size if old is not None else 0))

    def check_bytes(self, creator: JID, added: int) -> None:
        """Raises StanzaError `resource-constraint` if so many bytes more would be too much."""
        if added > 0 and self._used[creator] + added > self.limits.total:
            raise StanzaError("resource-constraint", "too much is kept already: retract something", "wait")

    def check_room_for_nodes(self, creator: JID, more: int = 1) -> None:
        """Raises StanzaError `resource-constraint` if so many nodes more would be too much."""
        if more and self._used_nodes[creator] + more > self.limits.nodes:
            raise StanzaError("resource-constraint", "there are too many nodes already: delete one", "wait")
