"""Affiliations, and subscriptions as owners manage them (XEP-0060 §5.7, §8.8, §8.9)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.pubsub import OWNER, PUBSUB, Change, NodeRequest, error
from .access import Requester, affiliation_of, owned
from .effects import Effects
from .node import Node
from .nodes import Nodes
from .records import NodeAffiliationSaved
from .subscribe import decide

AFFILIATIONS: Final = ("owner", "publisher", "publish-only", "member", "outcast", "none")
_AFFILIATIONS_MAX: Final = 250  #: of one node
_STATES: Final = ("subscribed", "none")


def own_affiliations(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """How somebody is affiliated with one node, or with all (§5.7). Raises StanzaError."""
    chosen = [nodes.node(request.node)] if request.node else list(nodes)
    found = E("{%s}affiliations" % ns.PUBSUB, {"node": request.node} if request.node else None)
    for node in chosen:
        affiliation = affiliation_of(nodes, node, requester.jid)
        if affiliation != "none":
            found.append(E("{%s}affiliation" % ns.PUBSUB, {"node": node.name, "affiliation": affiliation}))
    return Effects(E(PUBSUB, None, found))


def affiliations(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Everybody who is affiliated with a node, for its owner (§8.9.1). Raises StanzaError."""
    node = owned(nodes, requester, request)
    everybody = {jid: affiliation_of(nodes, node, jid) for jid in (*nodes.owners(node), *node.affiliations)}
    tag = "{%s}affiliation" % ns.PUBSUB_OWNER
    listed = [E(tag, {"jid": jid, "affiliation": affiliation}) for jid, affiliation in everybody.items()]
    return Effects(E(OWNER, None, E("{%s}affiliations" % ns.PUBSUB_OWNER, {"node": node.name}, *listed)))


def set_affiliations(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Changes affiliations, all or none of them (§8.9.2). Raises StanzaError.

    Where one of them cannot be, the request, which goes back with the error, says how each stands.
    """
    node = owned(nodes, requester, request)
    wanted = {change.jid.bare: change for change in request.changes}
    if len(wanted) < len(request.changes):
        raise StanzaError("bad-request", "somebody is named twice")
    try:
        for change in request.changes:
            _check(nodes, change)
        after = node.affiliations | {jid: change.state for jid, change in wanted.items()}
        if not nodes.kind.is_account and "owner" not in after.values():
            raise StanzaError("not-acceptable", "a node needs an owner")
        if len(after) > max(_AFFILIATIONS_MAX, len(node.affiliations)):
            raise StanzaError("resource-constraint", "too many affiliations", "wait")
    except StanzaError as refusal:
        if refusal.condition == "not-acceptable":
            for change in request.changes:
                change.element.set("affiliation", affiliation_of(nodes, node, change.jid))
        raise
    effects = Effects()
    for jid, change in wanted.items():
        _become(nodes, node, jid, change.state, effects)
    return effects


def _check(nodes: Nodes, change: Change) -> None:
    if change.state not in AFFILIATIONS:
        raise StanzaError("not-acceptable", "there is no such affiliation")
    if nodes.kind.is_account and change.jid.bare == nodes.jid and change.state != "owner":
        raise StanzaError("not-acceptable", "it is the account's own node")
    if nodes.kind.is_account and change.jid.bare != nodes.jid and change.state == "owner":
        raise error("not-acceptable", "unsupported", "nobody else can own it")


def _become(nodes: Nodes, node: Node, jid: JID, affiliation: str, effects: Effects) -> None:
    """Whoever is let in has no more need to wait for an answer, whoever is cast out gets none (§8.7, §8.9)."""
    if nodes.kind.is_account and jid == nodes.jid:
        return
    if affiliation == "none":
        node.affiliations.pop(jid, None)
    else:
        node.affiliations[jid] = affiliation
    effects.records.append(NodeAffiliationSaved(nodes.number, node.name, jid, affiliation))
    for subscriber, subscription in list(node.subscriptions.items()):
        if subscriber.bare == jid:
            if affiliation in ("outcast", "publish-only"):
                decide(nodes, node, subscriber, "none", effects)
            elif subscription.state == "pending" and affiliation != "none":
                decide(nodes, node, subscriber, "subscribed", effects)


def node_subscriptions(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Who is subscribed to a node, for its owner (§8.8.1). Raises StanzaError."""
    node = owned(nodes, requester, request)
    tag = "{%s}subscription" % ns.PUBSUB_OWNER
    listed = [
        E(tag, {"jid": jid, "subscription": subscription.state})
        for jid, subscription in node.subscriptions.items()
        if subscription.state == "subscribed"
    ]
    return Effects(E(OWNER, None, E("{%s}subscriptions" % ns.PUBSUB_OWNER, {"node": node.name}, *listed)))


def set_subscriptions(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Changes subscriptions, all or none of them (§8.8.2). Raises StanzaError.

    Nobody is subscribed who has not asked for it: else an owner could have strangers sent whatever he likes.
    """
    node = owned(nodes, requester, request)
    for change in request.changes:
        old = node.subscriptions.get(change.jid)
        if change.state and (change.state not in _STATES or (change.state == "subscribed" and old is None)):
            for each in request.changes:
                now = node.subscriptions.get(each.jid)
                each.element.set("subscription", "none" if now is None else now.state)
            raise StanzaError("not-acceptable", "they have not asked for that")
    effects = Effects()
    for change in request.changes:
        if change.state:
            decide(nodes, node, change.jid, change.state, effects)
    return effects
