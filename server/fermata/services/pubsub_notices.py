"""Notifications (XEP-0060 §7.1.2, §12.2): one stanza, written once, for everybody who is to hear of something."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from ..core.pubsub import events
from ..core.pubsub.effects import Changed, Effects, Notice, Question
from ..core.pubsub.node import Node
from ..core.pubsub.nodes import Nodes
from ..core.records import Lineage, Step
from ..core.stored_xml import stanza_from
from ..host.origin import Clock
from ..host.registry import Sessions
from ..host.residents import Spawn
from ..host.router import Router
from ..host.stores import NodeStore
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from .relayed import Relayed

_HEADLINE: Final = "headline"
Send = Callable[[JID], None]


class Owner(Protocol):
    """Whose nodes they are: an account, or a service of its own."""

    @property
    def nodes(self) -> Nodes:
        """The nodes."""

    @property
    def lineage(self) -> Lineage:
        """What its steps build on."""


class Audience(Protocol):
    """Who hears of the nodes of an owner."""

    def tell(self, node: Node, send: Send) -> None:
        """Calls `send` with each address that is to hear of a node: now, or as soon as it is known whether it is."""


class Notices:
    """Sends notifications, in the order in which things have happened, and not before they are durable."""

    def __init__(
        self,
        store: NodeStore,
        router: Router,
        sessions: Sessions,
        relayed: Relayed,
        spawn: Spawn,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._store, self._router, self._sessions = store, router, sessions
        self._relayed, self._spawn, self._clock, self._new_id = relayed, spawn, clock, new_id
        #: called with an owner and what was published or is gone on one of its nodes, by the name of the node
        self.followers: dict[str, list[Callable[[Owner, Changed], None]]] = {}

    def emit(self, ticket: int, step: Step | None, owner: Owner, audience: Audience, effects: Effects) -> None:
        """Lets out what a step has to tell, once it is durable."""
        if effects.notices or effects.changes or effects.questions or effects.last:
            self._relayed.emit(ticket, step, self._let_out, owner, audience, effects)

    def _let_out(self, owner: Owner, audience: Audience, effects: Effects) -> None:
        for change in effects.changes:
            for follower in self.followers.get(change.node, ()):
                follower(owner, change)
        for notice in effects.notices:
            self._tell(owner.nodes.jid, audience, notice)
        for question in effects.questions:
            self._ask(owner.nodes.jid, question)
        if effects.last is not None:
            node, jid = effects.last
            self.send_last(owner.nodes, [node], [jid])

    def _tell(self, service: JID, audience: Audience, notice: Notice) -> None:
        if notice.to is None:
            self.tell_each(service, notice.node, notice.event, lambda send: audience.tell(notice.node, send))
        else:
            payload = self._message(service, notice.node, notice.event)
            for jid in notice.to:
                self.send(payload, jid)

    def tell_each(self, service: JID, node: Node, event: Element, tell: Callable[[Send], None]) -> None:
        """Sends an event of a node to each address with which `tell` calls what it is called with."""
        payload = self._message(service, node, event)
        tell(lambda jid: self.send(payload, jid))

    def _message(self, service: JID, node: Node, event: Element) -> Payload:
        attributes = {"from": service, "id": self._new_id()}
        if node.config.notification_type == _HEADLINE:
            attributes["type"] = _HEADLINE
        return payload_of(E("message", attributes, event))

    def _ask(self, service: JID, question: Question) -> None:
        message = E("message", {"from": service, "id": self._new_id()}, E("body", None, question.text), question.form)
        for jid in question.to:
            self.send(payload_of(message), jid)

    def send(self, payload: Payload, to: JID) -> None:
        """A message for a session here, or on the way of all stanzas."""
        session = self._sessions.get(to)
        if session is None:
            self._router.deliver(payload, to)
        elif not (session.owner.blocklist and session.owner.blocklist.blocks(JID.parse(payload.sender))):
            session.send(payload, to)

    def send_last(self, nodes: Nodes, chosen: Iterable[Node], to: Iterable[JID]) -> None:
        """Sends each of these the last item of each of these nodes (§6.1.7; XEP-0163 §4.3.4)."""
        now = self._clock.seconds()
        found = [(node, id) for node in chosen if (id := node.last(now)) is not None]
        if found:
            self._spawn(self._send_last(nodes, found, list(to)))

    async def _send_last(self, nodes: Nodes, found: list[tuple[Node, str]], to: list[JID]) -> None:
        for node, id in found:
            entry = node.items.get(id)
            xml = await self._store.payload(nodes.number, node.name, id) if node.config.deliver_payloads else ""
            if entry is None or xml is None or node.last(self._clock.seconds()) != id or node.items[id] is not entry:
                continue  # another has taken its place meanwhile, and was told
            item = events.item(ns.PUBSUB_EVENT, node, id, entry, stanza_from(xml) if xml else None)
            payload = self._message(nodes.jid, node, events.published(node, [item]))
            for jid in to:
                self.send(payload, jid)
