"""Making, configuring and deleting nodes (XEP-0060 §8.1 to §8.4)."""

from collections.abc import Callable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E
from ...xmpp.errors import StanzaError
from ...xmpp.pubsub import OWNER, PUBSUB, NodeRequest
from ..records import Record
from . import events
from .access import Requester, owned
from .config import NodeConfig
from .config_form import config_form, configured
from .effects import Effects, Notice
from .items import discard, surplus
from .node import Node
from .nodes import Nodes
from .records import NodeAffiliationSaved, NodeRemoved, NodeSaved, NodeSubscriptionRemoved

_NAME_BYTES: Final = 1_023


def check_name(name: str) -> None:
    """Raises StanzaError `not-acceptable` for what is too long to be the id of a node or of an item."""
    if len(name.encode()) > _NAME_BYTES:
        raise StanzaError("not-acceptable", f"an id can have {_NAME_BYTES} bytes")


def make(nodes: Nodes, requester: Requester, name: str, config: NodeConfig, now: float) -> tuple[Node, list[Record]]:
    """A node that is not among the others yet. Raises StanzaError."""
    check_name(name)
    creator = requester.jid.bare
    nodes.check_room_for_nodes(creator)
    node = Node(name, config, creator, now)
    records: list[Record] = [saved(nodes, node)]
    if not nodes.kind.is_account:
        node.affiliations[creator] = "owner"
        records.append(NodeAffiliationSaved(nodes.number, name, creator, "owner"))
    return node, records


def saved(nodes: Nodes, node: Node) -> NodeSaved:
    """The record of a node as it is."""
    return NodeSaved(nodes.number, node.name, node.config.json(), node.creator, node.created)


def create(nodes: Nodes, requester: Requester, request: NodeRequest, now: float, new_id: Callable[[], str]) -> Effects:
    """Makes a node (§8.1); one without a name gets one. Raises StanzaError."""
    if not requester.may_create:
        raise StanzaError("forbidden", "you may not make nodes here")
    if request.node and nodes.get(request.node) is not None:
        raise StanzaError("conflict", "there is such a node already")
    name = request.node or new_id()
    config = nodes.kind.defaults(name)
    if request.form is not None:
        config = configured(config, request.form, nodes.kind.access_models)
    node, records = make(nodes, requester, name, config, now)
    nodes.add(node)
    effects = Effects(None if request.node else E(PUBSUB, None, E("{%s}create" % ns.PUBSUB, {"node": name})))
    effects.records += records
    return effects


def configuration(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """The form with which a node is configured (§8.2.2). Raises StanzaError."""
    node = owned(nodes, requester, request)
    form = config_form(node.config, nodes.kind.access_models).element()
    return Effects(E(OWNER, None, E("{%s}configure" % ns.PUBSUB_OWNER, {"node": node.name}, form)))


def default(nodes: Nodes) -> Effects:
    """The form as a new node has it (§8.3)."""
    form = config_form(nodes.kind.defaults(""), nodes.kind.access_models).element()
    return Effects(E(OWNER, None, E("{%s}default" % ns.PUBSUB_OWNER, None, form)))


def configure(nodes: Nodes, requester: Requester, request: NodeRequest, now: float) -> Effects:
    """Configures a node as the form asks (§8.2.4). Raises StanzaError."""
    node = owned(nodes, requester, request)
    effects, form = Effects(), request.form
    if form is None or form.type == "cancel":
        return effects
    node.config = configured(node.config, form, nodes.kind.access_models)
    effects.records.append(saved(nodes, node))
    discard(nodes, node, surplus(nodes, node, now) if node.config.persist_items else list(node.items), effects)
    if node.config.notify_config:
        shown = config_form(node.config, nodes.kind.access_models, "result").element()
        event = events.reconfigured(node, shown if node.config.deliver_payloads else None)
        effects.notices.append(Notice(node, event))
    return effects


def delete(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Deletes a node with all that is on it (§8.4). Raises StanzaError."""
    return removal(nodes, owned(nodes, requester, request), request.redirect)


def removal(nodes: Nodes, node: Node, redirect: str = "") -> Effects:
    """A node goes, with all that is on it."""
    effects = Effects()
    discard(nodes, node, list(node.items), effects)
    records = effects.records
    records += [NodeAffiliationSaved(nodes.number, node.name, jid, "none") for jid in node.affiliations]
    records += [NodeSubscriptionRemoved(nodes.number, node.name, jid) for jid in node.subscriptions]
    records.append(NodeRemoved(nodes.number, node.name))
    nodes.remove(node)
    if node.config.notify_delete:
        effects.notices.append(Notice(node, events.deleted(node, redirect)))
    return effects
