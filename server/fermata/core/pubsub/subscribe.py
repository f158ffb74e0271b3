"""Subscriptions of those who ask for one (XEP-0060 §6.1 to §6.3, §5.6); a contact's own to an account need none."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.element import E, Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.pubsub import PUBSUB, NodeRequest, error
from . import events
from .access import Requester, check_subscribe
from .effects import Effects, Notice, Question
from .node import Node, Subscription
from .nodes import Nodes
from .records import NodeSubscriptionRemoved, NodeSubscriptionSaved

_SUBSCRIPTIONS_MAX: Final = 10_000  #: of one node
_ADDRESSES_MAX: Final = 20  #: of one subscriber: each gets a copy of everything
_DELIVER: Final = "pubsub#deliver"
_SUBSCRIPTION: Final = "{%s}subscription" % ns.PUBSUB


def subscribe(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Subscribes an address (§6.1); owners are asked where they have to be. Raises StanzaError."""
    jid, node = _own(requester, request), nodes.node(request.node)
    state = check_subscribe(nodes, node, requester)
    old = node.subscriptions.get(jid)
    if old is None:
        _check_number(node, jid)
    if old is not None and old.state == "pending" and state == "pending":
        raise error("not-authorized", "pending-subscription", "the owner has not answered yet")
    if old is not None and old.state == "subscribed":
        state = "subscribed"
    delivers = old is None or old.delivers
    if request.form is not None:
        delivers = _delivers(request.form, delivers)
    effects = Effects()
    _set(nodes, node, jid, Subscription(state, delivers), effects)
    effects.answer = E(PUBSUB, None, _described(node, jid, state))
    if state == "pending":
        effects.questions.append(_question(nodes, node, jid))
    elif old is None and node.config.send_last_published_item != "never":
        effects.last = (node, jid)
    return effects


def unsubscribe(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Ends the subscription of an address (§6.2). Raises StanzaError."""
    jid, node = _own(requester, request, "forbidden"), nodes.node(request.node)
    _subscribed(node, jid, request)
    effects = Effects()
    end(nodes, node, jid, effects)
    effects.answer = E(PUBSUB, None, _described(node, jid, "none"))
    return effects


def options(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """The form with the options of a subscription (§6.3.2). Raises StanzaError."""
    jid, node = _own(requester, request, "forbidden"), nodes.node(request.node)
    delivers = _subscribed(node, jid, request).delivers
    form = Form("form", ns.PUBSUB_SUBSCRIBE_OPTIONS, (Field.boolean(_DELIVER, delivers, "Tell me what is new"),))
    shown = E("{%s}options" % ns.PUBSUB, {"node": node.name, "jid": jid}, form.element())
    return Effects(E(PUBSUB, None, shown))


def set_options(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """Changes the options of a subscription (§6.3.5). Raises StanzaError."""
    jid, node = _own(requester, request, "forbidden"), nodes.node(request.node)
    subscription = _subscribed(node, jid, request)
    effects = Effects()
    if request.form is not None and request.form.type == "submit":
        delivers = _delivers(request.form, subscription.delivers)
        _set(nodes, node, jid, subscription._replace(delivers=delivers), effects)
    return effects


def subscriptions(nodes: Nodes, requester: Requester, request: NodeRequest) -> Effects:
    """The subscriptions that somebody has, to one node or to all (§5.6). Raises StanzaError."""
    chosen = [nodes.node(request.node)] if request.node else list(nodes)
    found = E("{%s}subscriptions" % ns.PUBSUB, {"node": request.node} if request.node else None)
    for node in chosen:
        for jid, subscription in node.subscriptions.items():
            if jid.bare == requester.jid.bare:
                found.append(_described(node, jid, subscription.state))
    return Effects(E(PUBSUB, None, found))


def end(nodes: Nodes, node: Node, jid: JID, effects: Effects) -> None:
    """An address is not subscribed any more."""
    del node.subscriptions[jid]
    effects.records.append(NodeSubscriptionRemoved(nodes.number, node.name, jid))


def decide(nodes: Nodes, node: Node, jid: JID, state: str, effects: Effects) -> None:
    """An owner has it that an address is subscribed, or is not (`none`); it is told (§8.6, §8.8.4)."""
    old = node.subscriptions.get(jid)
    if state == "none" and old is not None:
        end(nodes, node, jid, effects)
    elif state != "none" and (old is None or old.state != state):
        _set(nodes, node, jid, Subscription(state, old is None or old.delivers), effects)
    else:
        return
    effects.notices.append(Notice(node, events.subscription_changed(node, jid, state), [jid]))


def answered(nodes: Nodes, requester: Requester, form: Form) -> Effects:
    """An owner has answered the question whether somebody may subscribe (§8.6). Raises StanzaError."""
    effects, node = Effects(), nodes.node(form.text("pubsub#node", ""))
    if not nodes.is_owner(node, requester.jid):
        raise StanzaError("forbidden", "the node has another owner")
    if form.type == "submit":
        for jid in form.jids("pubsub#subscriber_jid"):
            subscription = node.subscriptions.get(jid)
            if subscription is not None and subscription.state == "pending":
                decide(nodes, node, jid, "subscribed" if form.boolean("pubsub#allow", False) else "none", effects)
    return effects


def _check_number(node: Node, jid: JID) -> None:
    own = sum(subscriber.bare == jid.bare for subscriber in node.subscriptions)
    if len(node.subscriptions) >= _SUBSCRIPTIONS_MAX or own >= _ADDRESSES_MAX:
        raise error("policy-violation", "too-many-subscriptions", "there are too many subscriptions", "wait")


def _own(requester: Requester, request: NodeRequest, condition: str = "bad-request") -> JID:
    jid = request.subscriber
    if jid is None or jid.bare != requester.jid.bare:
        raise error(condition, "invalid-jid", "that is not your address")
    if not request.node:
        raise error("bad-request", "nodeid-required", "no node is named")
    return jid


def _subscribed(node: Node, jid: JID, request: NodeRequest) -> Subscription:
    subscription = node.subscriptions.get(jid)
    if subscription is None:
        raise error("unexpected-request", "not-subscribed", "you are not subscribed", "cancel")
    if request.subid:
        raise error("not-acceptable", "invalid-subid", "subscriptions have no ids here")
    return subscription


def _set(nodes: Nodes, node: Node, jid: JID, subscription: Subscription, effects: Effects) -> None:
    node.subscriptions[jid] = subscription
    effects.records.append(NodeSubscriptionSaved(nodes.number, node.name, jid, *subscription))


def _described(node: Node, jid: JID, state: str) -> Element:
    return E(_SUBSCRIPTION, {"node": node.name, "jid": jid, "subscription": state})


def _delivers(form: Form, now: bool) -> bool:
    try:
        return form.boolean(_DELIVER, now)
    except StanzaError as problem:
        raise error("bad-request", "invalid-options", problem.text) from None


def _question(nodes: Nodes, node: Node, jid: JID) -> Question:
    form = Form(
        "form",
        ns.PUBSUB_AUTHORIZATION,
        (
            Field.text_single("pubsub#node", node.name, "Node"),
            Field.jid_single("pubsub#subscriber_jid", jid, "Who asks"),
            Field.boolean("pubsub#allow", False, "Let them subscribe?"),
        ),
        "A request to subscribe",
    )
    return Question(form.element(), f"{jid} asks to subscribe to {node.name} at {nodes.jid}.", nodes.owners(node))
