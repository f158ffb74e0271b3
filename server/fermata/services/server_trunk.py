"""One proven connection to another server: what arrives on it goes to the router, and what it sends is counted.

The order of what a peer causes is that of its connection; what it is answered goes the way of all stanzas to it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from ..core.records import Step
from ..core.release import ReleaseQueue
from ..core.s2s.management import REQUEST, Management
from ..core.stream_management import Due, Inbound
from ..host.federation import Connection, Pair, Trouble
from ..host.origin import Clock
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..host.stores import Writer
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import answerable, check_iq, error_of

_BACKLOG_SECONDS: Final = 1.0  #: how often to look whether what was written has left this machine
ASK_SECONDS: Final = 0.1  #: so soon after it was written to, a peer is asked how far it got
PROBE_SECONDS: Final = 60.0  #: a connection that somebody needs is asked for a sign of life so often


class Way(Protocol):
    """The way for one pair (see server_link)."""

    def connected(self, trunk: "ServerTrunk") -> None:
        """A connection may carry the pair's stanzas."""

    def lost(self, trunk: "ServerTrunk", doubtful: list[tuple[Payload, JID]], trouble: Trouble) -> None:
        """It is gone; these may not have arrived."""

    def drain(self) -> None:
        """It can take more."""

    def arrived(self, spooled: list[int]) -> None:
        """Messages that waited in the spool have reached it."""


class ServerTrunk:
    """See host.federation.Trunk, and host.origin.Origin for what the peer sends."""

    def __init__(
        self,
        connection: Connection,
        way: Callable[[Pair], Way],
        contacted: Callable[[Pair], None],
        router: Router,
        writer: Writer,
        clock: Clock,
        gone: "Callable[[ServerTrunk], None]",
    ) -> None:
        self.connection = connection
        self.pairs: dict[Pair, Way] = {}  #: what it may carry to the peer
        self.received = 0  #: how many stanzas the peer has sent
        self.jid: JID  #: of the peer, by the first pair that was proven
        self._way, self._contacted, self._gone = way, contacted, gone
        self._router, self._writer, self._clock = router, writer, clock
        self._management = Management(connection.direction == "out")
        self._queue = ReleaseQueue(writer, self._refuse_step)
        self._receives = self._is_known = False
        self._doubtful: list[tuple[Payload, JID]] = []  # written, and perhaps still on this machine
        self._looks = self._asks = False
        self._position, self._held = 0, False
        self._holds: dict[int, int] = {}  # by position: how often a stanza is held
        self.used_at = clock.seconds()  #: when anything was sent or received last

    # -- what the connection says (see host.federation.Trunk)

    def sends(self, pair: Pair) -> None:
        """See Trunk."""
        self._meet(pair)
        if self.connection.direction == "out" and self.connection.offers_management and not self.pairs:
            self.connection.write(self._management.enable())
        way = self.pairs[pair] = self._way(pair)
        way.connected(self)

    def receives(self, pair: Pair) -> None:
        """See Trunk."""
        self._meet(pair)
        self._receives = True
        self._contacted(pair)

    def _meet(self, pair: Pair) -> None:
        if not self._is_known:
            self._is_known, self.jid = True, JID.parse(pair.remote)

    def take(self, stanza: Element, to: JID, sender: JID) -> None:
        """See Trunk."""
        self.received += 1
        inbound = self._management.inbound
        if inbound is None:
            self._route(stanza, to, sender)
            return
        position = self._position = inbound.begin()
        self._held = False
        self._route(stanza, to, sender)
        if not self._held:
            inbound.complete(position, self._writer.ticket)

    def take_refused(self, stanza: Element, to: JID, sender: JID, error: StanzaError) -> None:
        """See Trunk."""
        self.received += 1
        self.refuse(stanza, error)
        inbound = self._management.inbound
        if inbound is not None:
            inbound.complete(inbound.begin(), self._writer.ticket)

    def _route(self, stanza: Element, to: JID, sender: JID) -> None:
        self.used_at = self._clock.seconds()
        if stanza.tag == "iq":
            try:
                check_iq(stanza)
            except StanzaError as error:
                self.refuse(stanza, error)
                return
        guarded_route(self._router, stanza, to, sender, self)

    def manage(self, element: Element) -> None:
        """See Trunk."""
        if element.tag.endswith("}r"):
            # In line behind what the peer has sent before: it is told what is safe by then.
            self._queue.put(self._writer.ticket, None, self._acknowledge)
            return
        answer, spooled = self._management.receive(element, self._receives, self._writer.durable)
        if answer:
            self.connection.write(answer)
        if self._management.is_refused:
            self._doubtful, self._management.outbound = self._management.unacked(), None
            self._look_later()
        if spooled:
            for way in self.pairs.values():
                way.arrived(spooled)
        self.drain()

    def drain(self) -> None:
        """See Trunk."""
        for way in list(self.pairs.values()):
            way.drain()

    def lost(self, trouble: Trouble) -> None:
        """See Trunk."""
        pairs, self.pairs = self.pairs, {}
        for pair, way in pairs.items():
            way.lost(self, self.doubtful(pair), trouble)
        self._gone(self)

    def doubtful(self, pair: Pair) -> list[tuple[Payload, JID]]:
        """What was sent of a pair, and may not have arrived."""
        unsure = [*self._management.unacked(), *self._doubtful]
        return [(payload, to) for payload, to in unsure if pair_of(payload, to) == pair]

    # -- what goes to the peer

    @property
    def takes(self) -> bool:
        """Whether it can take a stanza now."""
        return not self.connection.paused

    def write(self, payload: Payload, to: JID) -> None:
        """Sends a stanza of one of its pairs."""
        self.connection.write(payload.addressed(to))
        if self._management.outbound is not None:
            self._management.sent(payload, to)
            if not self._asks:
                self._asks = True
                self._clock.callLater(ASK_SECONDS, self._ask_soon)
            return
        self._doubtful.append((payload, to))
        self._look_later()

    def probe(self, now: float) -> None:
        """Asks whether the peer is still there, if nothing was heard for a while and it can be asked."""
        outbound = self._management.outbound
        if outbound is not None and now >= self.used_at + PROBE_SECONDS and outbound.next_deadline() is None:
            self.used_at = now
            self.ask(now)

    def _ask_soon(self) -> None:
        """Whatever is written is acknowledged soon, so that little is in doubt when the connection breaks."""
        self._asks = False
        now, outbound = self._clock.seconds(), self._management.outbound
        if outbound is not None and outbound.unacked_count and not outbound.is_asked:
            self.ask(now)

    def ask(self, now: float) -> None:
        """Asks a peer that can be asked how far it got."""
        if self._management.outbound is not None:
            self._management.outbound.request(now)
            self.connection.write(REQUEST)

    def tick(self, now: float) -> None:
        """Asks for acknowledgements when it is time; a peer that gives none is gone."""
        due = self._management.tick(now)
        if due is Due.REQUEST:
            self.connection.write(REQUEST)
        elif due is Due.SILENT or due is Due.FULL:
            self.connection.end_now(StreamError("connection-timeout", "you do not acknowledge what you are sent"))

    @property
    def domain(self) -> str:
        """The other server's, by the first pair that was proven; empty before that."""
        return self.jid.domain if self._is_known else ""

    @property
    def unacked(self) -> int:
        """How many stanzas may not have arrived."""
        return len(self._management.unacked()) + len(self._doubtful)

    @property
    def is_managed(self) -> bool:
        """Whether the peer acknowledges what it is sent."""
        return self._management.outbound is not None

    def close(self, error: StreamError | None) -> None:
        """Tells the peer how far we got, and closes the connection."""
        self._acknowledge()
        self.connection.end_now(error)

    def _acknowledge(self) -> None:
        xml = self._management.acknowledgement(self._writer.durable)
        if xml:
            self.connection.write(xml)

    def _look_later(self) -> None:
        if not self._looks and self._doubtful:
            self._looks = True
            self._clock.callLater(_BACKLOG_SECONDS, self._look, len(self._doubtful))

    def _look(self, count: int) -> None:
        """What was written a while ago has left this machine, unless the connection has a backlog."""
        self._looks = False
        if not self.connection.has_backlog:
            left, self._doubtful = self._doubtful[:count], self._doubtful[count:]
            spooled = [payload.spooled for payload, _ in left if payload.spooled]
            if spooled:
                for way in self.pairs.values():
                    way.arrived(spooled)
        self._look_later()

    # -- the origin of what the peer sends (see host.origin.Origin)

    @property
    def is_counting(self) -> bool:
        """See Origin."""
        return self._management.inbound is not None

    def emit(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """See Origin."""
        self._queue.put(ticket, step, effect, *arguments)

    def answer(self, stanza: Element) -> None:
        """See Origin: to the peer, by whatever connection leads there."""
        self._router.deliver(payload_of(stanza), JID.parse(stanza.get("to", "")))

    def refuse(self, stanza: Element, error: StanzaError) -> None:
        """See Origin."""
        if answerable(stanza):
            self._queue.put(0, None, self.answer, error_of(stanza, error))

    def hold(self) -> Callable[[], None]:
        """See Origin.

        Unlike a client's, the stanzas behind this one do not wait: they are other people's.
        """
        inbound = self._management.inbound
        if inbound is None:
            return _nothing
        self._held = True
        position = self._position
        self._holds[position] = self._holds.get(position, 0) + 1
        return partial(self._settle, inbound, position)

    def _settle(self, inbound: Inbound, position: int) -> None:
        self._holds[position] -= 1
        if not self._holds[position]:
            del self._holds[position]
            inbound.complete(position, self._writer.ticket)

    def _refuse_step(self, step: Step) -> None:
        stanza, step.stanza = step.stanza, None
        if stanza is not None and answerable(stanza):
            self.answer(error_of(stanza, StanzaError("internal-server-error", "it could not be stored", "wait")))


def pair_of(payload: Payload, to: JID) -> Pair:
    """The pair that a stanza belongs to."""
    return Pair(JID.parse(payload.sender).domain, to.domain)


def _nothing() -> None:
    """Nothing was held."""
