"""One node in memory (XEP-0060 §12.1): how it is set up, who has to do with it, which items it has.

Of an item it knows everything but the payload, which is in storage.
"""

from typing import Final, NamedTuple

from ...xmpp.jid import JID
from .config import NO_LIMIT, NodeConfig

#: what an item counts for beside its payload, in bytes: many small ones cost more than few long ones
ITEM_OVERHEAD: Final = 1_000
_TAGS_BYTES: Final = 100


class Entry(NamedTuple):
    """An item as it was published last; `seq` orders all items of a service, `size` is in bytes."""

    seq: int
    stamp: float
    publisher: JID  #: bare
    size: int

    @property
    def weight(self) -> int:
        """About how many bytes it takes in a stanza."""
        return max(0, self.size - ITEM_OVERHEAD) + _TAGS_BYTES


class Subscription(NamedTuple):
    """How somebody is subscribed: `subscribed`, or `pending` as long as no owner has said yes."""

    state: str
    delivers: bool = True  #: the option `pubsub#deliver`


class Node:
    """A node; `affiliations` are of bare JIDs, `items` go from the oldest to the newest."""

    __slots__ = ("affiliations", "config", "created", "creator", "items", "name", "subscriptions")

    def __init__(self, name: str, config: NodeConfig, creator: JID, created: float) -> None:
        self.name, self.config, self.creator, self.created = name, config, creator, created
        self.affiliations: dict[JID, str] = {}
        self.subscriptions: dict[JID, Subscription] = {}
        self.items: dict[str, Entry] = {}

    def affiliation(self, jid: JID) -> str:
        """How an address is affiliated with the node; `none` if it is not."""
        return self.affiliations.get(jid.bare, "none")

    def subscription(self, jid: JID) -> Subscription | None:
        """The subscription of an address, of whoever has it if that is a full one."""
        return self.subscriptions.get(jid) or self.subscriptions.get(jid.bare)

    def owners(self) -> list[JID]:
        """Who owns it."""
        return [jid for jid, affiliation in self.affiliations.items() if affiliation == "owner"]

    def last(self, now: float) -> str | None:
        """The id of the item that was published last, if it has one that is not too old."""
        for id, entry in reversed(self.items.items()):
            return None if self.is_over(entry, now) else id
        return None

    def is_over(self, entry: Entry, now: float) -> bool:
        """Whether an item has expired (`pubsub#item_expire`)."""
        return self.config.item_expire != NO_LIMIT and entry.stamp + self.config.item_expire <= now
