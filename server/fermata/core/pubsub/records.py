"""What is kept of nodes. `owner` is the number of the account or service whose nodes they are."""

from typing import NamedTuple


class NodeSaved(NamedTuple):
    """A node and its configuration (JSON); `creator` is who made it (bare JID), `stamp` when."""

    owner: int
    node: str
    config: str
    creator: str
    stamp: float


class NodeRemoved(NamedTuple):
    """The node is gone; what was on it is removed by records of its own."""

    owner: int
    node: str


class ItemSaved(NamedTuple):
    """An item as it was published last: `seq` orders those of one owner, `xml` is the payload, empty for none.

    `size` is what the item counts for where storage is limited, in bytes.
    """

    owner: int
    node: str
    id: str
    seq: int
    stamp: float
    publisher: str
    size: int
    xml: str


class ItemRemoved(NamedTuple):
    """The item was retracted, purged, or had to make room for another."""

    owner: int
    node: str
    id: str


class NodeAffiliationSaved(NamedTuple):
    """An affiliation with a node (XEP-0060 §4.1), of a bare JID; `none` removes it."""

    owner: int
    node: str
    jid: str
    affiliation: str


class NodeSubscriptionSaved(NamedTuple):
    """A subscription to a node (XEP-0060 §4.2), of a JID; `delivers` is its option `pubsub#deliver`."""

    owner: int
    node: str
    jid: str
    state: str
    delivers: bool


class NodeSubscriptionRemoved(NamedTuple):
    """That JID is not subscribed any more."""

    owner: int
    node: str
    jid: str


NodeRecord = (
    NodeSaved
    | NodeRemoved
    | ItemSaved
    | ItemRemoved
    | NodeAffiliationSaved
    | NodeSubscriptionSaved
    | NodeSubscriptionRemoved
)
