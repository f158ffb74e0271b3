"""Does what requests ask of nodes (XEP-0060), whoever the nodes belong to."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ..core.pubsub import affiliate, events, lifecycle, publish, subscribe
from ..core.pubsub.access import Requester
from ..core.pubsub.effects import Effects
from ..core.pubsub.nodes import Nodes
from ..core.pubsub.retrieve import Chosen, retrieve
from ..core.records import Step
from ..core.stored_xml import stanza_from
from ..core.throttle import Throttle
from ..host.iq import Answer, Reply
from ..host.origin import Clock
from ..host.stores import NodeStore, Writer
from ..xmpp import namespaces as ns
from ..xmpp.dataforms import Form
from ..xmpp.element import E, Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.pubsub import PUBSUB, NodeRequest, unsupported
from .pubsub_notices import Audience, Notices, Owner

_Act = Callable[[Nodes, Requester, NodeRequest], Effects]

_BYTES_PER_MINUTE: Final = 10_000_000  #: that one address may fetch of what is not its own

_ACTS: Final[Mapping[str, _Act]] = {
    "retract": publish.retract,
    "purge": publish.purge,
    "configureGet": lifecycle.configuration,
    "delete": lifecycle.delete,
    "subscribe": subscribe.subscribe,
    "unsubscribe": subscribe.unsubscribe,
    "optionsGet": subscribe.options,
    "optionsSet": subscribe.set_options,
    "subscriptions": subscribe.subscriptions,
    "affiliations": affiliate.own_affiliations,
    "affiliationsGet": affiliate.affiliations,
    "affiliationsSet": affiliate.set_affiliations,
    "subscriptionsGet": affiliate.node_subscriptions,
    "subscriptionsSet": affiliate.set_subscriptions,
}


class Publishing:
    """One for all nodes of this server."""

    def __init__(
        self, store: NodeStore, notices: Notices, writer: Writer, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._store, self._notices = store, notices
        self._writer, self._clock, self._new_id = writer, clock, new_id
        self._read_by_others = Throttle(_BYTES_PER_MINUTE)

    def answer(
        self, asked: NodeRequest, iq: Element, owner: Owner, audience: Audience, requester: Requester
    ) -> Reply | Awaitable[Reply]:
        """What answers a request, or a coroutine of it. Raises StanzaError."""
        if asked.verb == "items":
            return self.items(owner.nodes, requester, asked)
        return self.settle(owner, audience, self.act(owner.nodes, requester, asked), iq)

    def act(self, nodes: Nodes, requester: Requester, asked: NodeRequest) -> Effects:
        """What follows from a request that changes something, or needs no item. Raises StanzaError."""
        now = self._clock.seconds()
        if asked.verb == "publish":
            return publish.publish(nodes, requester, asked, now, self._new_id)
        if asked.verb == "create":
            return lifecycle.create(nodes, requester, asked, now, self._new_id)
        if asked.verb == "configureSet":
            return lifecycle.configure(nodes, requester, asked, now)
        if asked.verb == "default":
            return lifecycle.default(nodes)
        act = _ACTS.get(asked.verb)
        if act is None:
            raise unsupported(asked.verb)
        return act(nodes, requester, asked)

    def settle(self, owner: Owner, audience: Audience, effects: Effects, iq: Element | None = None) -> Answer:
        """Keeps what a step made; when that is durable, it is answered and told."""
        step = Step(effects.records, iq, owner.lineage) if effects.records else None
        ticket = 0 if step is None else self._writer.submit(step)
        self._notices.emit(ticket, step, owner, audience, effects)
        return Answer(effects.answer, step)

    def decide(self, owner: Owner, audience: Audience, requester: Requester, form: Form) -> None:
        """An owner answers the question whether somebody may subscribe. Raises StanzaError."""
        self.settle(owner, audience, subscribe.answered(owner.nodes, requester, form))

    async def items(self, nodes: Nodes, requester: Requester, asked: NodeRequest) -> Element:
        """The items that somebody asks for. Raises StanzaError."""
        chosen = retrieve(nodes, requester, asked, self._clock.seconds())
        node = chosen.node
        entries = {id: node.items[id] for id in chosen.ids}
        if not nodes.is_owner(node, requester.jid):
            self._count(requester.jid.bare, sum(entry.weight for entry in entries.values()))
        payloads = await self._payloads(nodes.number, chosen)
        found = E("{%s}items" % ns.PUBSUB, {"node": node.name})
        for id, entry in entries.items():
            xml = payloads.get(id)
            if xml is not None:  # else it has gone meanwhile
                found.append(events.item(ns.PUBSUB, node, id, entry, stanza_from(xml) if xml else None))
        answer = E(PUBSUB, None, found)
        if chosen.where is not None:
            answer.append(chosen.where)
        return answer

    def _count(self, reader: JID, size: int) -> None:
        """A short question can have a long answer: nobody gets too many of these."""
        now = self._clock.seconds()
        if self._read_by_others.is_full(reader, now):
            raise StanzaError("resource-constraint", "you have fetched too much; wait a little", "wait")
        self._read_by_others.note(reader, now, size)

    async def _payloads(self, number: int, chosen: Chosen) -> Mapping[str, str]:
        node, ids = chosen.node, chosen.ids
        if len(ids) == 1:
            xml = await self._store.payload(number, node.name, ids[0])
            return {} if xml is None else {ids[0]: xml}
        places = [node.items[id].seq for id in ids]
        return await self._store.payloads(number, node.name, min(places), max(places)) if places else {}
