"""One proven connection to another server: what goes out on it is counted; what arrives is `from_server`'s."""

from collections.abc import Callable
from itertools import count
from typing import Final, Protocol

from ..core.s2s.answered import Answered
from ..core.s2s.echo import Echo
from ..core.s2s.management import REQUEST, Management
from ..core.s2s.queue import Waiting
from ..core.s2s.resumable import Resumable
from ..core.stream_management import Due
from ..host.federation import Cause, Connection, Pair, Trouble
from ..host.origin import Clock, Timer
from ..host.stores import Writer
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, local_name
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .from_server import FromServer
from .lasting_streams import LastingStreams
from .resumption import Resumption

_LOOK_SECONDS: Final = 1.0  #: how often to look whether what was written has arrived, or at least left this machine
_LOOK_SOON_SECONDS: Final = 0.05  #: the same while nothing more may be written before that
ASK_SECONDS: Final = 0.1  #: so soon after it was written to, a peer is asked how far it got
PAUSED_SECONDS: Final = 120.0  #: a peer that has read nothing for so long is not there
REST_SECONDS: Final = 5.0  #: so long a peer has to acknowledge what it was sent before the connection is closed
PROBE_SECONDS: Final = 60.0  #: a connection that somebody needs is asked for a sign of life so often

_numbers = count(1)  # for pings: none has that of another
Sent = list[tuple[Payload, JID]]  #: stanzas and their addressees


class Sleep(Protocol):
    """What was sent for one pair and is in doubt, while its stream has no connection (see link_sleep)."""

    stream: Resumable | None  #: which that was, if a connection can go on with it

    def arrived(self, entries: list[Waiting]) -> None:
        """The peer has said that it has these: what it does not have goes out as if it had never been sent."""

    def unresumed(self, trunk: "ServerTrunk") -> None:
        """That connection is the way, and does not go on with it: nobody will say any more what has arrived."""


class Way(Protocol):
    """The way for one pair (see server_link)."""

    @property
    def sleep(self) -> Sleep:
        """What became of the last connection's stream."""

    def connected(self, trunk: "ServerTrunk") -> None:
        """A connection may carry the pair's stanzas."""

    def lost(
        self, trunk: "ServerTrunk", doubtful: "Sent", trouble: Trouble, stream: Resumable | None, unacked: "Sent"
    ) -> None:
        """It is gone; these may not have arrived.

        `unacked` are those sent on the stream that it carried: whoever goes on with that knows which have.
        """

    def drain(self) -> None:
        """It can take more."""


class ServerTrunk:
    """See host.federation.Trunk."""

    def __init__(
        self,
        connection: Connection,
        way: Callable[[Pair], Way],
        contacted: Callable[[Pair], None],
        arrived: Callable[[list[int]], None],
        peer: FromServer,
        answered: Answered,
        writer: Writer,
        clock: Clock,
        streams: LastingStreams,
        gone: "Callable[[ServerTrunk], None]",
    ) -> None:
        """`arrived` is told which messages of the spool have reached the peer; `peer` takes what it sends."""
        self.connection = connection
        self.pairs: dict[Pair, Way] = {}  #: what it may carry to the peer
        self._way, self._contacted, self._arrived, self._gone = way, contacted, arrived, gone
        self._writer, self._clock = writer, clock
        self.management = Management(connection.direction == "out")
        self.peer, self.take, self.take_refused = peer, peer.take, peer.take_refused
        self.resumption = Resumption(connection, self.management, peer, streams, _Ways(self, clock), clock)
        self._receives = False
        self._answered = answered
        self._echo = Echo()  # where there is no stream management, or as long as there is none
        self._asks = self._owes_answer = False
        self._looking: Timer | None = None
        self._paused_since: float | None = None
        self._rests_until: float | None = None  # from when on it is closed, come what may
        self._written_at = clock.seconds()

    # -- what the connection says (see host.federation.Trunk)

    def sends(self, pair: Pair) -> None:
        """See Trunk. Raises StreamError if there is to be no way for that pair."""
        self.peer.meet(pair.remote)
        try:
            way = self._way(pair)
        except StanzaError as error:
            raise StreamError("resource-constraint", error.text) from None
        is_first, self.pairs[pair] = not self.pairs, way
        if self.connection.direction == "out" and is_first and self._opened(pair, way.sleep):
            return
        way.connected(self)

    def _opened(self, pair: Pair, sleep: Sleep) -> bool:
        """Begins stream management on a connection of ours; returns whether what becomes of it has to be seen."""
        asleep = sleep.stream if sleep.stream is not None and sleep.stream.direction.opened_here else None
        if self.connection.offers_management and self.resumption.open(pair, asleep):
            return True
        if asleep is not None:
            sleep.unresumed(self)
        return asleep is not None

    def receives(self, pair: Pair) -> None:
        """See Trunk."""
        self.peer.meet(pair.remote)
        self._receives = True
        self.resumption.met(pair)
        self._contacted(pair)

    def manage(self, element: Element) -> None:
        """See Trunk."""
        name = local_name(element)
        if name == "r":
            # In line behind what the peer has sent before: it is told what is safe by then.
            ticket = self.resumption.ticket
            self.peer.emit(self._writer.ticket if ticket is None else ticket, None, self._answer)
        elif self.resumption.is_asking and name in ("resumed", "failed"):
            self.resumption.answered(element)
        elif name in ("resume", "resumed"):
            self.resumption.take(element)
        else:
            self._manage(element, name)

    def _manage(self, element: Element, name: str) -> None:
        id = self.resumption.id_for(element) if name == "enable" else ""
        before = self.management.inbound
        outbound = self.management.outbound
        was_asked = outbound is not None and outbound.is_asked
        answer, spooled = self.management.receive(element, self._receives, self._writer.durable, id)
        self.peer.inbound = self.management.inbound
        if self.management.inbound is not before:
            self._begun(element, id)
        if answer:
            self.connection.write(answer)
        spooled += self._settle_uncounted(was_asked and name == "a")
        self._arrived(spooled)
        self._rest_once_sure(self._clock.seconds())
        self.drain()

    def _settle_uncounted(self, has_answered: bool) -> list[int]:
        """What was sent before the peer began to count, or what it will not count: which of that had been spooled.

        The peer answers in line: whoever says how far he got has got all that was sent before he began.
        """
        outbound, spooled = self.management.outbound, list[int]()
        if has_answered:
            return self._echo.arrived()
        if outbound is not None and self.management.is_refused:
            self.management.outbound = None
            for payload, to in outbound.unacked():
                spooled += self._echo.sent(payload, to)
            self._look_later()
        elif outbound is not None and self._echo.unsure and not outbound.is_asked:
            self.ask(self._clock.seconds())
        return spooled

    def _begun(self, element: Element, id: str) -> None:
        """Stream management begins anew: who has opened the connection does not go on with what he had."""
        is_ours = self.connection.direction == "out"
        self.resumption.begun(element.get("id", "") if is_ours else id)
        for way in list(self.pairs.values()) if not is_ours else ():
            asleep = way.sleep.stream
            if asleep is not None and not asleep.direction.opened_here:
                way.sleep.unresumed(self)

    def drain(self) -> None:
        """See Trunk."""
        if self._owes_answer:
            self._acknowledge()
        for way in list(self.pairs.values()):
            way.drain()

    def lost(self, trouble: Trouble) -> None:
        """See Trunk."""
        self._detach(trouble)
        self._gone(self)

    def _detach(self, trouble: Trouble) -> None:
        stream = self.resumption.end()
        ways = list(self.pairs.items())
        self.pairs.clear()
        for pair, way in ways:
            unsure, unacked = _of(pair, self._echo.unsure), _of(pair, self.management.unacked())
            way.lost(self, unsure, trouble, stream, unacked)

    def doubtful(self, pair: Pair) -> Sent:
        """What was sent of a pair, and may not have arrived."""
        # What was sent before the peer began to count, then what it counts: in the order in which it was sent.
        return _of(pair, [*self._echo.unsure, *self.management.unacked()])

    # -- what goes to the peer

    @property
    def takes(self) -> bool:
        """Whether it can take a stanza now."""
        outbound = self.management.outbound
        is_full = self._echo.is_full if outbound is None else outbound.is_full
        return not self.connection.paused and not is_full and self._rests_until is None

    def write(self, payload: Payload, to: JID) -> None:
        """Sends a stanza of one of its pairs."""
        self.connection.write(payload.addressed(to))
        self._written_at = self._clock.seconds()
        outbound = self.management.outbound
        if outbound is not None:
            outbound.sent(payload, to)
            if outbound.is_full and not outbound.is_asked:
                self.ask(self._written_at)
            elif not self._asks:
                self._asks = True
                self._clock.callLater(ASK_SECONDS, self._ask_soon)
            return
        self._arrived(self._echo.sent(payload, to))
        self._look_later()

    def probe(self, now: float) -> None:
        """Asks whether the peer is still there, if nothing was heard for a while and it can be asked."""
        outbound = self.management.outbound
        if outbound is not None and now >= self.used_at + PROBE_SECONDS and outbound.next_deadline() is None:
            self._written_at = now
            self.ask(now)

    @property
    def used_at(self) -> float:
        """When anything was sent or received last."""
        return max(self._written_at, self.peer.heard_at)

    def _ask_soon(self) -> None:
        """Whatever is written is acknowledged soon, so that little is in doubt when the connection breaks."""
        self._asks = False
        now, outbound = self._clock.seconds(), self.management.outbound
        if self.pairs and outbound is not None and outbound.unacked_count and not outbound.is_asked:
            self.ask(now)

    def ask(self, now: float) -> None:
        """Asks a peer that can be asked how far it got."""
        if self.management.outbound is not None:
            self.management.outbound.request(now)
            self.connection.write(REQUEST)

    def tick(self, now: float) -> None:
        """Asks for acknowledgements when it is time; a peer that gives none, or reads nothing, is gone."""
        due = self.management.tick(now)
        if due is Due.REQUEST:
            self.connection.write(REQUEST)
        elif due is Due.SILENT:
            self._cut("you do not acknowledge what you are sent")
        if self.resumption.is_unanswered(now):
            self._cut("you do not say whether you go on with the stream")
        self._rest_once_sure(now)
        if not self.connection.paused:
            self._paused_since = None
        elif self._paused_since is None:
            self._paused_since = now
        elif now >= self._paused_since + PAUSED_SECONDS:
            self._cut("you do not read what you are sent")

    def _cut(self, text: str) -> None:
        """Ends the connection because the peer, as far as can be seen, is not there any more."""
        self.connection.end_now(StreamError("connection-timeout", text))

    @property
    def unacked(self) -> int:
        """How many stanzas may not have arrived."""
        outbound = self.management.outbound
        return len(self._echo.unsure) + (0 if outbound is None else outbound.unacked_count)

    def rest(self) -> None:
        """Closes the connection because nobody needs it: once the peer has said that it has got all that was sent.

        What the peer has sent by then is still taken.
        """
        now = self._clock.seconds()
        if self._rests_until is None:
            self._rests_until = now + REST_SECONDS
            self.ask(now)
        self._rest_once_sure(now)

    def _rest_once_sure(self, now: float) -> None:
        if self._rests_until is None or (self.unacked and now < self._rests_until):
            return
        self._acknowledge()
        self.resumption.forget()
        self._detach(Trouble(Cause.STREAM, "we have closed the stream"))
        self.connection.end(None)

    def close(self) -> None:
        """Tells the peer how far we got, and closes the connection at once: the process is about to end."""
        self._acknowledge()
        self.connection.end_now(None)

    def _answer(self) -> None:
        """Who does not read what he has asked for is told once he does."""
        self._owes_answer = self.connection.paused
        if not self._owes_answer:
            self._acknowledge()

    def _acknowledge(self) -> None:
        self._owes_answer = False
        xml = self.management.acknowledgement(self._writer.durable)
        if xml:
            self.connection.write(xml)

    def _look_later(self) -> None:
        is_full = self._echo.is_full
        if self._echo.unsure and (self._looking is None or is_full):
            if self._looking is not None:
                self._looking.cancel()
            delay = _LOOK_SOON_SECONDS if is_full else _LOOK_SECONDS
            self._looking = self._clock.callLater(delay, self._look, self._echo.position)

    def _look(self, position: int) -> None:
        """Looks for the answer to a ping, and sends the next one; `position` is how far was written a while ago."""
        self._looking = None
        if not self.pairs or self.management.outbound is not None:  # it counts by now, and has been asked
            return
        pair, echo, now = next(iter(self.pairs)), self._echo, self._clock.seconds()
        if echo.open_id and self._answered.includes(JID.parse(pair.local), JID.parse(pair.remote), echo.open_id):
            self._arrived(echo.answered())
        if echo.is_silent(now):
            self.connection.end_now(StreamError("connection-timeout", "you do not answer what you are asked"))
            return
        if not self.connection.has_backlog:
            self._arrived(echo.left(position, now))
        self.drain()
        if echo.unsure and not echo.open_id:
            id = f"arrived-{next(_numbers)}-{now:.0f}"
            ping = f"<iq type='get' id='{id}' from='{pair.local}' to='{pair.remote}'><ping xmlns='{ns.PING}'/></iq>"
            self.connection.write(ping)
            echo.ask(id, now)
        self._look_later()


def pair_of(payload: Payload, to: JID) -> Pair:
    """The pair that a stanza belongs to."""
    return Pair(JID.parse(payload.sender).domain, to.domain)


def _of(pair: Pair, sent: Sent) -> Sent:
    return [(payload, to) for payload, to in sent if pair_of(payload, to) == pair]


class _Ways:
    """See resumption.Ways."""

    def __init__(self, trunk: ServerTrunk, clock: Clock) -> None:
        self._trunk, self._clock = trunk, clock

    def arrived(self, entries: list[Waiting]) -> None:
        """See Ways."""
        for way in self._trunk.pairs.values():
            way.sleep.arrived(entries)

    def connected(self) -> None:
        """See Ways."""
        self._trunk.peer.inbound = self._trunk.management.inbound
        for way in list(self._trunk.pairs.values()):
            way.connected(self._trunk)
        if self._trunk.unacked:  # sent before that, and not counted
            self._trunk.ask(self._clock.seconds())
        self._trunk.drain()

    def unresumed(self) -> None:
        """See Ways."""
        for way in list(self._trunk.pairs.values()):
            way.sleep.unresumed(self._trunk)
