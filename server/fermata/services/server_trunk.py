"""One proven connection to another server: what goes out on it is counted; what arrives is `from_server`'s."""

from collections.abc import Callable
from itertools import count
from typing import Final, Protocol

from ..core.s2s.answered import Answered
from ..core.s2s.echo import Echo
from ..core.s2s.management import REQUEST, Management
from ..core.stream_management import Due
from ..host.federation import Cause, Connection, Pair, Trouble
from ..host.origin import Clock, Timer
from ..host.stores import Writer
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .from_server import FromServer

_LOOK_SECONDS: Final = 1.0  #: how often to look whether what was written has arrived, or at least left this machine
_LOOK_SOON_SECONDS: Final = 0.05  #: the same while nothing more may be written before that
ASK_SECONDS: Final = 0.1  #: so soon after it was written to, a peer is asked how far it got
PAUSED_SECONDS: Final = 120.0  #: a peer that has read nothing for so long is not there
REST_SECONDS: Final = 5.0  #: so long a peer has to acknowledge what it was sent before the connection is closed
PROBE_SECONDS: Final = 60.0  #: a connection that somebody needs is asked for a sign of life so often

_numbers = count(1)  # for pings: none has that of another


class Way(Protocol):
    """The way for one pair (see server_link)."""

    def connected(self, trunk: "ServerTrunk") -> None:
        """A connection may carry the pair's stanzas."""

    def lost(self, trunk: "ServerTrunk", doubtful: list[tuple[Payload, JID]], trouble: Trouble) -> None:
        """It is gone; these may not have arrived."""

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
        gone: "Callable[[ServerTrunk], None]",
    ) -> None:
        """`arrived` is told which messages of the spool have reached the peer; `peer` takes what it sends."""
        self.connection = connection
        self.pairs: dict[Pair, Way] = {}  #: what it may carry to the peer
        self._way, self._contacted, self._arrived, self._gone = way, contacted, arrived, gone
        self._writer, self._clock = writer, clock
        self.management = Management(connection.direction == "out")
        self.peer, self.take, self.take_refused = peer, peer.take, peer.take_refused
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
        if self.connection.direction == "out" and self.connection.offers_management and not self.pairs:
            self.connection.write(self.management.enable())
        try:
            way = self._way(pair)
        except StanzaError as error:
            raise StreamError("resource-constraint", error.text) from None
        self.pairs[pair] = way
        way.connected(self)

    def receives(self, pair: Pair) -> None:
        """See Trunk."""
        self.peer.meet(pair.remote)
        self._receives = True
        self._contacted(pair)

    def manage(self, element: Element) -> None:
        """See Trunk."""
        if element.tag.endswith("}r"):
            # In line behind what the peer has sent before: it is told what is safe by then.
            self.peer.emit(self._writer.ticket, None, self._answer)
            return
        outbound = self.management.outbound
        was_asked = outbound is not None and outbound.is_asked
        answer, spooled = self.management.receive(element, self._receives, self._writer.durable)
        self.peer.inbound = self.management.inbound
        if answer:
            self.connection.write(answer)
        spooled += self._settle_uncounted(was_asked and element.tag.endswith("}a"))
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
        pairs, self.pairs = self.pairs, {}
        for pair, way in pairs.items():
            way.lost(self, self.doubtful(pair), trouble)

    def doubtful(self, pair: Pair) -> list[tuple[Payload, JID]]:
        """What was sent of a pair, and may not have arrived."""
        # What was sent before the peer began to count, then what it counts: in the order in which it was sent.
        unsure = [*self._echo.unsure, *self.management.unacked()]
        return [(payload, to) for payload, to in unsure if pair_of(payload, to) == pair]

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
