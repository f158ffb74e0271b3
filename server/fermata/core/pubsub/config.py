"""A node's configuration (XEP-0060 §8.2) as a value, as the JSON in which it is kept, and what it is by default."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Self

from ...xmpp import namespaces as ns
from .. import config_json

NO_LIMIT: Final = 0  #: as a number of items or seconds: `max`, whatever the service allows
PUBLISH_MODELS: Final = ("publishers", "subscribers", "open")
LAST_PUBLISHED: Final = ("never", "on_sub", "on_sub_and_presence")
NOTIFICATION_TYPES: Final = ("headline", "normal")
ITEM_REPLY: Final = ("owner", "publisher")


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """How a node is set up; each name is that of its form field without the prefix `pubsub#`.

    `max_items` and `item_expire` (in seconds) may be NO_LIMIT, `max_payload_size` (in bytes) is 0 for no limit of the
    node's own.
    """

    title: str = ""
    description: str = ""
    type: str = ""
    language: str = ""
    access_model: str = "presence"
    roster_groups_allowed: tuple[str, ...] = ()
    publish_model: str = "publishers"
    subscribe: bool = True
    persist_items: bool = True
    max_items: int = 1
    item_expire: int = NO_LIMIT
    max_payload_size: int = 0
    send_last_published_item: str = "on_sub_and_presence"
    deliver_notifications: bool = True
    deliver_payloads: bool = True
    notify_config: bool = False
    notify_delete: bool = True
    notify_retract: bool = True
    notification_type: str = "headline"
    itemreply: str = "owner"

    def json(self) -> str:
        """The configuration as text."""
        return config_json.written(self)

    @classmethod
    @lru_cache(maxsize=1024)  # few are not the same as those of many others
    def from_json(cls, text: str) -> Self:
        """The configuration that `json` wrote; what it does not name has its default, what is unknown is left out."""
        return config_json.read(cls, text)


#: For the account alone, and all of it: what XEP-0402 §5 and XEP-0490 §3 ask for.
PRIVATE: Final = NodeConfig(access_model="whitelist", max_items=NO_LIMIT, send_last_published_item="never")
#: XEP-0163 §5: presence is the subscription, and what counts is what was published last.
PERSONAL: Final = NodeConfig()
#: XEP-0060 §4.5: open to all, and it keeps what is published.
GENERIC: Final = replace(PERSONAL, access_model="open", max_items=NO_LIMIT, send_last_published_item="on_sub")
# Whoever publishes the first of these without options would show it to all contacts, or lose it to the second.
_PRIVATE_NODES: Final = frozenset({ns.BOOKMARKS, ns.BOOKMARKS_STORAGE, ns.MDS})


def personal(node: str) -> NodeConfig:
    """How a node of an account is set up if nobody says otherwise."""
    return PRIVATE if node in _PRIVATE_NODES else PERSONAL
