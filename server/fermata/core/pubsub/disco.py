"""What service discovery tells of nodes, and of those who have some (XEP-0060 §5.1 to §5.5)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.disco import Identity, Item
from ...xmpp.stamps import text_of
from .access import Requester, check_retrieve, may_retrieve
from .nodes import Kind, Nodes

LEAF: Final = Identity("pubsub", "leaf")
_SERVICE: Final = (
    "auto-create config-node config-node-max create-and-configure create-nodes delete-items delete-nodes instant-nodes"
    " item-ids last-published manage-subscriptions member-affiliation meta-data modify-affiliations multi-items"
    " outcast-affiliation persistent-items publish publish-only-affiliation publish-options publisher-affiliation"
    " purge-nodes retract-items retrieve-affiliations retrieve-default retrieve-items retrieve-subscriptions rsm"
    " subscribe subscription-notifications subscription-options"
).split()
_ACCOUNT: Final = "auto-subscribe filtered-notifications presence-subscribe pubsub-on-a-jid".split()


def features(kind: Kind) -> list[str]:
    """What such a service can do, as service discovery names it (§9)."""
    names = [*_SERVICE, *(_ACCOUNT if kind.is_account else ()), *(f"access-{model}" for model in kind.access_models)]
    return [ns.PUBSUB, *(f"{ns.PUBSUB}#{name}" for name in names)]


def listed(nodes: Nodes, requester: Requester) -> list[Item]:
    """The nodes whose items somebody may have (§5.2; XEP-0163 §6.2): of others he learns nothing."""
    return [Item(nodes.jid, node.config.title, node.name) for node in nodes if may_retrieve(nodes, node, requester)]


def items(nodes: Nodes, name: str, requester: Requester, now: float) -> list[Item]:
    """The items of a node (§5.5). Raises StanzaError."""
    node = nodes.node(name)
    check_retrieve(nodes, node, requester)
    return [Item(nodes.jid, id) for id, entry in node.items.items() if not node.is_over(entry, now)]


def meta_data(nodes: Nodes, name: str, requester: Requester) -> Form:
    """What a node is, for people who look for one (§5.4). Raises StanzaError."""
    node = nodes.node(name)
    check_retrieve(nodes, node, requester)
    config = node.config
    subscribers = sum(subscription.state == "subscribed" for subscription in node.subscriptions.values())
    fields = (
        Field.text_single("pubsub#title", config.title),
        Field.text_single("pubsub#description", config.description),
        Field.text_single("pubsub#type", config.type),
        Field.text_single("pubsub#language", config.language),
        Field.text_single("pubsub#access_model", config.access_model),
        Field.text_single("pubsub#publish_model", config.publish_model),
        Field.text_single("pubsub#max_items", str(config.max_items) if config.max_items else "max"),
        Field.jid_single("pubsub#creator", node.creator),
        Field.text_single("pubsub#creation_date", text_of(node.created)),
        Field.jid_multi("pubsub#owner", nodes.owners(node)),
        Field.text_single("pubsub#num_subscribers", str(subscribers)),
    )
    return Form("result", ns.PUBSUB_META_DATA, fields)
