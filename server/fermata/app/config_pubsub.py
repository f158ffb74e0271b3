"""The table [pubsub] of the configuration: nodes that people publish on."""

import math
from dataclasses import dataclass

from ..core.pubsub.nodes import Limits
from . import config_values as values
from .config_setting import setting


@dataclass(frozen=True)
class PubSub:
    """What people publish: bookmarks, avatars and the like, each account its own, and nodes for all. 0 is no limit."""

    service: str | None = setting(
        "pubsub",
        values.optional(values.domain),
        "The service where our users make nodes for everybody is pubsub.<domain>; a name with a dot is taken whole, and"
        ' serves all; "" is none. Accounts have nodes of their own in any case.',
    )
    nodes_per_account: int = setting(250, values.limit(), "Nodes that one account may have.")
    items_per_node: int = setting(1_000, values.limit(), "Items on one of them; beyond, the oldest goes.")
    item_bytes: int = setting(131_072, values.limit(), "The longest item; mind that avatars are items.")
    bytes_per_account: int = setting(
        10_000_000, values.limit(), "All items of an account together, each with 1000 bytes more than it has."
    )

    def limits(self) -> Limits:
        """The same for the rules."""
        return Limits(
            self.nodes_per_account or math.inf,
            self.items_per_node or math.inf,
            self.item_bytes or math.inf,
            self.bytes_per_account or math.inf,
        )

    def service_of(self, domain: str) -> str:
        """The service of one of our domains; empty for none."""
        name = self.service or ""
        return name if not name or "." in name else f"{name}.{domain}"
