"""What service discovery tells of nodes, and of those who have some (XEP-0060 §5.1 to §5.5)."""

from typing import Final

from ...xmpp import disco
from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.element import Element
from ...xmpp.rsm import Page
from ...xmpp.stamps import text_of
from .access import Requester, check_retrieve, may_retrieve
from .node import Node
from .nodes import Kind, Nodes

_SERVICE: Final = (
    "auto-create config-node config-node-max create-and-configure create-nodes delete-items delete-nodes instant-nodes"
    " item-ids last-published manage-subscriptions member-affiliation meta-data modify-affiliations multi-items"
    " outcast-affiliation persistent-items publish publish-only-affiliation publish-options publisher-affiliation"
    " purge-nodes retract-items retrieve-affiliations retrieve-default retrieve-items retrieve-subscriptions rsm"
    " subscribe subscription-notifications subscription-options"
).split()
_LISTED_MAX: Final = 500  #: in one answer to somebody who asks for no page
_ACCOUNT: Final = "auto-subscribe filtered-notifications presence-subscribe pubsub-on-a-jid".split()


def features(kind: Kind) -> tuple[str, ...]:
    """What such a service can do, as service discovery names it (§9)."""
    models = [f"access-{model}" for model in kind.access_models]
    return (ns.PUBSUB, *(f"{ns.PUBSUB}#{name}" for name in (*_SERVICE, *models)))


def account_features() -> tuple[str, ...]:
    """What only a service can do that sees presence (§8)."""
    return tuple(f"{ns.PUBSUB}#{name}" for name in _ACCOUNT)


def info(nodes: Nodes, name: str, requester: Requester) -> Element:
    """The disco#info of a node (§5.3, §5.4). Raises StanzaError."""
    node = nodes.node(name)
    check_retrieve(nodes, node, requester)
    return disco.info([disco.Identity("pubsub", "leaf")], [ns.PUBSUB], [_meta_data(nodes, node)], name)


def items(nodes: Nodes, name: str, requester: Requester, now: float, page: Page | None) -> Element:
    """The disco#items of a node (§5.5), of the service if no node is named: of what is not his nobody learns anything.

    Raises StanzaError.
    """
    if name:
        node = nodes.node(name)
        check_retrieve(nodes, node, requester)
        found = [disco.Item(nodes.jid, id) for id, entry in node.items.items() if not node.is_over(entry, now)]
    else:
        open_to_him = [node for node in nodes if may_retrieve(nodes, node, requester)]
        found = [disco.Item(nodes.jid, node.config.title, node.name) for node in open_to_him]
    if page is None and len(found) <= _LISTED_MAX:
        return disco.items(found, name)
    page = page or Page(_LISTED_MAX)
    shown, where = page.of(found, lambda item: item.name if name else item.node)
    answer = disco.items(shown, name)
    answer.append(where)
    return answer


def _meta_data(nodes: Nodes, node: Node) -> Form:
    """What a node is, for people who look for one (§5.4)."""
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
