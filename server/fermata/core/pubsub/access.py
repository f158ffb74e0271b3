"""Who may do what with a node: affiliations, access models, publish models (XEP-0060 §4.1, §4.5)."""

from collections.abc import Collection
from typing import NamedTuple

from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.pubsub import NodeRequest, error
from .node import Node
from .nodes import Nodes

_MEMBERS = ("owner", "publisher", "member")
_PUBLISHERS = ("owner", "publisher", "publish-only")


class Requester(NamedTuple):
    """Who asks, and what he is to the account whose nodes these are."""

    jid: JID  #: full or bare
    has_presence: bool = False  #: he gets the account's presence
    groups: Collection[str] = ()  #: of the account's roster, that he is in
    may_create: bool = False  #: he may make nodes


def affiliation_of(nodes: Nodes, node: Node, jid: JID) -> str:
    """How somebody is affiliated with a node (§4.1)."""
    return "owner" if nodes.is_owner(node, jid) else node.affiliation(jid)


def check_retrieve(nodes: Nodes, node: Node, requester: Requester) -> None:
    """Raises StanzaError if he may not have the items of a node (§6.5.9)."""
    affiliation = affiliation_of(nodes, node, requester.jid)
    if affiliation in _MEMBERS:
        return
    if affiliation != "none":
        raise StanzaError("forbidden", "not with your affiliation")
    model, subscription = node.config.access_model, node.subscription(requester.jid)
    if model == "authorize":
        if subscription is None or subscription.state != "subscribed":
            raise error("not-authorized", "not-subscribed", "only subscribers may see the items")
    else:
        _check_model(node, requester)


def may_retrieve(nodes: Nodes, node: Node, requester: Requester) -> bool:
    """Whether he may have the items of a node, and be told of them."""
    try:
        check_retrieve(nodes, node, requester)
    except StanzaError:
        return False
    return True


def check_subscribe(nodes: Nodes, node: Node, requester: Requester) -> str:
    """The state of a new subscription: `subscribed`, or `pending` (§6.1.3). Raises StanzaError if there can be none."""
    affiliation = affiliation_of(nodes, node, requester.jid)
    if affiliation in ("outcast", "publish-only"):
        raise StanzaError("forbidden", "not with your affiliation")
    if not node.config.subscribe:
        raise unsupported_here("the node has no subscriptions")
    if affiliation in _MEMBERS:
        return "subscribed"
    if node.config.access_model == "authorize":
        return "pending"
    _check_model(node, requester)
    return "subscribed"


def unsupported_here(text: str) -> StanzaError:
    """The refusal of what the owner of a node has switched off (§10)."""
    return StanzaError("not-allowed", text)


def may_publish(nodes: Nodes, node: Node, requester: Requester) -> bool:
    """Whether he may publish to a node (§7.1)."""
    if nodes.is_owner(node, requester.jid):
        return True
    affiliation = node.affiliation(requester.jid)
    if affiliation in _PUBLISHERS:
        return True
    if affiliation == "outcast":
        return False
    if node.config.publish_model == "subscribers":
        subscription = node.subscription(requester.jid)
        return subscription is not None and subscription.state == "subscribed"
    return node.config.publish_model == "open" and may_retrieve(nodes, node, requester)


def check_owner(nodes: Nodes, node: Node, requester: Requester) -> None:
    """Raises StanzaError `forbidden` if he does not own a node (§8)."""
    if not nodes.is_owner(node, requester.jid):
        raise StanzaError("forbidden", "the node has another owner")


def owned(nodes: Nodes, requester: Requester, request: NodeRequest) -> Node:
    """The node that a request of its owner's names. Raises StanzaError."""
    if not request.node:
        raise error("bad-request", "nodeid-required", "no node is named")
    node = nodes.node(request.node)
    check_owner(nodes, node, requester)
    return node


def _check_model(node: Node, requester: Requester) -> None:
    model = node.config.access_model
    if model == "open":
        return
    if model in ("presence", "roster") and not requester.has_presence:
        raise error("not-authorized", "presence-subscription-required", "it is for contacts")
    if model == "roster" and not set(node.config.roster_groups_allowed).intersection(requester.groups):
        raise error("not-authorized", "not-in-roster-group", "it is for some contacts")
    if model == "whitelist":
        raise error("not-allowed", "closed-node", "it is for those on a list")
