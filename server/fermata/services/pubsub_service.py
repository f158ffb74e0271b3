"""A publish-subscribe service at a domain of its own (XEP-0060): our users make nodes there, for everybody."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final

from ..core.pubsub import disco
from ..core.pubsub.access import Requester, may_retrieve
from ..core.pubsub.effects import Effects
from ..core.pubsub.leaving import forget
from ..core.pubsub.node import Node
from ..core.pubsub.nodes import SERVICE, Limits, Nodes
from ..core.pubsub.subscribe import end
from ..core.records import Lineage
from ..host.iq import Addressee, IQTable, Reply, Request
from ..host.origin import Clock, Origin
from ..host.pipeline import guarded
from ..host.residents import Residents, Spawn
from ..host.stores import Entities, NodeStore
from ..xmpp import namespaces as ns
from ..xmpp.dataforms import DATA_FORM, Form
from ..xmpp.disco import Identity, info
from ..xmpp.element import Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from ..xmpp.pubsub import OWNER, PUBSUB, parse
from ..xmpp.rsm import Page
from .pubsub import Publishing
from .pubsub_notices import Send

_FEATURES: Final = (ns.DISCO_INFO, ns.DISCO_ITEMS, ns.PING, ns.RSM, *disco.features(SERVICE))


class ServiceNodes:
    """The nodes of a service in memory, and who hears of them."""

    def __init__(self, nodes: Nodes, publishing: Publishing, reload: Callable[[], None]) -> None:
        self.nodes, self.lineage = nodes, Lineage(reload)
        self._publishing = publishing

    def tell(self, node: Node, send: Send) -> None:
        """Calls `send` with each subscriber; who is not to see the node any more is none (see Audience)."""
        effects = Effects()
        for jid, subscription in list(node.subscriptions.items()):
            if subscription.state != "subscribed":
                continue
            if not may_retrieve(self.nodes, node, Requester(jid)):
                end(self.nodes, node, jid, effects)
            elif subscription.delivers:
                send(jid)
        if effects.records and self.nodes.get(node.name) is node:
            self._publishing.settle(self, self, effects)


class PubsubService:
    """Answers for one domain (see host.router.Destination); `local` are the domains whose users may make nodes."""

    def __init__(
        self,
        jid: JID,
        local: Collection[str],
        limits: Limits,
        publishing: Publishing,
        store: NodeStore,
        entities: Entities,
        iqs: IQTable,
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._jid, self._local, self._limits, self._publishing = jid, frozenset(local), limits, publishing
        self._store, self._entities, self._clock = store, entities, clock
        self._present: Residents[ServiceNodes] = Residents(self._load, lambda nodes: False, spawn)
        self._iqs = iqs
        for tag in (PUBSUB, OWNER):
            for type in ("get", "set"):
                iqs.on(Addressee.SERVER, type, tag, self._answer)
        iqs.on(Addressee.SERVER, "get", "{%s}query" % ns.DISCO_INFO, self._disco_info)
        iqs.on(Addressee.SERVER, "get", "{%s}query" % ns.DISCO_ITEMS, self._disco_items)
        iqs.on(Addressee.SERVER, "get", "{%s}ping" % ns.PING, _pong)

    # -- what arrives

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """An owner's answer to the question whether somebody may subscribe (§8.6); all else is for nobody."""
        if to != self._jid:
            raise StanzaError("item-not-found", "there is nobody")
        if stanza.get("type") in ("error", "groupchat", "headline"):
            return
        found = child(stanza, DATA_FORM)
        if found is None:
            raise StanzaError("service-unavailable")
        form = Form.parse(found, ns.PUBSUB_AUTHORIZATION)

        def decide(own: ServiceNodes) -> None:
            self._publishing.decide(own, own, self._requester(sender), form)

        self._enter(stanza, sender, origin, decide)

    def presence(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Nobody is here to see it."""

    def iq(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A request to the service."""
        if stanza.get("type") not in ("get", "set"):
            return
        if to != self._jid:
            raise StanzaError("item-not-found", "there is nobody")

        def answer(own: ServiceNodes) -> None:
            self._iqs.answer(Addressee.SERVER, Request(stanza, stanza[0], sender, to, None, origin))

        self._enter(stanza, sender, origin, answer)

    def deliver(self, payload: Payload, to: JID) -> None:
        """Nothing that is made here is for it."""

    def _enter(self, stanza: Element, sender: JID, origin: Origin, act: Callable[[ServiceNodes], None]) -> None:
        own = self._present.get(self._jid)
        if own is not None:
            act(own)
            return
        settled = origin.hold()

        def go_on(own: ServiceNodes | None) -> None:
            if own is not None:
                guarded(stanza, sender, origin, lambda: act(own))
            settled()

        def give_up(error: StanzaError) -> None:
            origin.refuse(stanza, error)
            settled()

        self._present.use(self._jid, go_on, give_up)

    async def _load(self, jid: JID) -> ServiceNodes:
        number = await self._entities.number_for(jid, self._clock.seconds())
        stored = await self._store.nodes(number)
        nodes = Nodes(number, jid, SERVICE, self._limits, stored)
        return ServiceNodes(nodes, self._publishing, lambda: self._present.drop(jid))

    # -- what is answered

    def _requester(self, sender: JID) -> Requester:
        return Requester(sender, may_create=bool(sender.local) and sender.domain in self._local)

    def _own(self) -> ServiceNodes:
        own = self._present.get(self._jid)
        if own is None:
            raise StanzaError("internal-server-error", "the database does not answer", "wait")
        return own

    def _answer(self, request: Request) -> Reply | Awaitable[Reply]:
        own = self._own()
        requester = self._requester(request.sender)
        return self._publishing.answer(parse(request.iq), request.iq, own, own, requester)

    def _disco_info(self, request: Request) -> Element:
        node = request.payload.get("node", "")
        if node:
            return disco.info(self._own().nodes, node, self._requester(request.sender))
        return info([Identity("pubsub", "service", "Publish-Subscribe")], _FEATURES)

    def _disco_items(self, request: Request) -> Element:
        node, page = request.payload.get("node", ""), Page.parse(request.payload)
        return disco.items(self._own().nodes, node, self._requester(request.sender), self._clock.seconds(), page)

    async def forget(self, jid: JID) -> None:
        """An account is about to be removed: so is what only it owns here, and whatever says that it was here."""
        own = await self._present.fetch(self._jid)
        if own is not None:
            for effects in forget(own.nodes, jid):
                self._publishing.settle(own, own, effects)


def _pong(request: Request) -> None:
    """An empty result is the whole answer (XEP-0199 §4.1)."""
