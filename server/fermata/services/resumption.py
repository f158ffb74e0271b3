"""How a connection to another server goes on with the stream of an older one (XEP-0198 §5).

Who has opened a stream may go on with it, on another that he has opened, once the same pair is proven on that, by no
weaker means and over TLS.
"""

from functools import partial
from typing import Final, Protocol

from ..core.s2s.management import REQUEST, Management, number
from ..core.s2s.queue import Waiting
from ..core.s2s.resumable import Direction, Resumable
from ..core.stream_management import ANSWER_SECONDS
from ..host.federation import Connection, Pair
from ..host.origin import Clock
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, escape
from ..xmpp.errors import StreamError
from .from_server import FromServer
from .lasting_streams import LastingStreams

_YES: Final = ("true", "1")
DOUBT_SECONDS: Final = 2.0  #: so long a connection has to prove that it still stands


class Ways(Protocol):
    """What a connection is to its ways (see server_trunk)."""

    def arrived(self, entries: list[Waiting]) -> None:
        """The peer has these, which were in doubt."""

    def connected(self) -> None:
        """It goes on with it."""

    def unresumed(self) -> None:
        """It does not go on with what the ways had hoped for."""


class Resumption:
    """Of one connection; `peer` is what counts what arrives."""

    def __init__(
        self,
        connection: Connection,
        management: Management,
        peer: FromServer,
        streams: LastingStreams,
        ways: Ways,
        clock: Clock,
    ) -> None:
        self.stream: Resumable | None = None  #: what it carries, if that can go on on another connection
        self._connection, self._management, self._peer = connection, management, peer
        self._streams, self._ways, self._clock = streams, ways, clock
        self._pairs: set[Pair] = set()  # that the peer has proven
        self._wanted: Resumable | None = None  # what it is to go on with
        self._asked_at = 0.0
        self._is_doubted = False

    def met(self, pair: Pair) -> None:
        """The peer has proven that pair."""
        self._pairs.add(pair)

    # -- a stream that we have opened

    def open(self, pair: Pair, asleep: Resumable | None) -> bool:
        """Enables stream management, or asks to go on with the older stream; in that case returns True."""
        self._pair = pair
        lasts = self._streams.serves(self._connection)
        if asleep is None or asleep.is_over or not lasts or not asleep.bears(self._connection.proof):
            self._connection.write(self._management.enable(lasts))
            return False
        self._wanted, self._asked_at = asleep, self._clock.seconds()
        self._streams.settle(asleep, self._ask)
        return True

    def _ask(self) -> None:
        stream = self._wanted
        if stream is not None:
            id, h = escape(stream.id), stream.inbound.h
            self._connection.write(f"<resume xmlns='{ns.SM}' previd='{id}' h='{h}'/>")

    @property
    def is_asking(self) -> bool:
        """Whether the peer has not answered yet whether it goes on."""
        return self._wanted is not None and self._connection.direction == "out"

    def is_unanswered(self, now: float) -> bool:
        """Whether that has taken it too long."""
        return self.is_asking and now >= self._asked_at + ANSWER_SECONDS

    def answered(self, element: Element) -> None:
        """The peer has answered: `<resumed/>` or `<failed/>`. Raises StreamError."""
        stream, self._wanted = self._wanted, None
        assert stream is not None
        if element.tag.endswith("}resumed"):
            self._go_on(stream, number(element))
            self._ways.connected()
            return
        if "h" in element.attrib:  # it knows at least how far it got
            self._settle(stream, number(element))
            stream.doubtful.clear()
        self._connection.write(self._management.enable(True))
        self._ways.unresumed()

    # -- one that the peer has opened

    def take(self, element: Element) -> None:
        """The peer asks for what it cannot have, or to go on with an older stream. Raises StreamError."""
        is_theirs = element.tag.endswith("}resume") and self._connection.direction == "in"
        if not is_theirs or self._management.is_begun or self._wanted is not None:
            self._connection.write(self._management.refuse())
            return
        stream = None
        if self._streams.serves(self._connection) and len(self._pairs) == 1:
            (pair,) = self._pairs
            stream = self._streams.accepted(pair, element.get("previd", ""), self._connection.proof)
        if stream is None:
            self._connection.write(self._management.refuse("item-not-found"))
            return
        h = number(element)
        self._wanted = stream
        self._streams.take_over(stream, self._connection)
        self._streams.settle(stream, partial(self._answer, stream, h))

    def _answer(self, stream: Resumable, h: int) -> None:
        if self._wanted is not stream or not self._streams.is_on(stream, self._connection):
            return
        self._wanted, handled = None, stream.inbound.h
        try:
            if stream.is_over or self._management.is_begun:
                self._streams.lost(stream, self._connection)
                self._connection.write(self._management.refuse("item-not-found", handled))
                return
            self._go_on(stream, h)
        except StreamError as error:
            self._connection.end(error)
            return
        self._connection.write(f"<resumed xmlns='{ns.SM}' previd='{stream.id}' h='{handled}'/>")
        self._ways.connected()

    def _settle(self, stream: Resumable, h: int) -> None:
        """What was in doubt is not any more. Raises StreamError."""
        try:
            self._ways.arrived(stream.told(h))
        except StreamError:
            self._streams.forget(stream)
            raise

    def _go_on(self, stream: Resumable, h: int) -> None:
        self._settle(stream, h)
        self._management.go_on(stream.inbound, h)
        self._streams.take_over(stream, self._connection)
        self._carry(stream)

    # -- one that begins

    def id_for(self, request: Element) -> str:
        """The id of the stream that begins if the peer enables stream management; empty if it ends with its connection.

        Raises StreamError.
        """
        lasts = request.get("resume") in _YES and self._streams.serves(self._connection) and len(self._pairs) == 1
        return self._streams.new_id() if lasts else ""

    def begun(self, id: str) -> None:
        """Stream management was enabled, with that id if it has one."""
        inbound = self._management.inbound
        if inbound is None or not id or not self._streams.serves(self._connection):
            return
        is_ours = self._connection.direction == "out"
        direction = Direction(self._pair if is_ours else next(iter(self._pairs)), is_ours)
        stream = self._streams.begin(direction, id, inbound, self._connection)
        if stream is not None:
            self._carry(stream)

    def _carry(self, stream: Resumable) -> None:
        self.stream = stream
        self._peer.counted = partial(self._streams.counted, stream)
        if not stream.direction.opened_here:
            self._connection.complete()

    @property
    def ticket(self) -> int | None:
        """With which batch of writes all that has come is counted; None if that is not written."""
        return None if self.stream is None else self._streams.all_counted(self.stream)

    # -- the end of the connection

    def doubt(self) -> None:
        """The peer has connected once more, as if this connection were gone: if it is, that is found out at once.

        The peer waits for us to go on with the stream, and we would notice much later that we cannot go on here.
        """
        outbound = self._management.outbound
        may_go_on = self.stream is not None and self.stream.direction.opened_here
        if may_go_on and outbound is not None and not self._is_doubted:
            self._is_doubted = True
            now = self._clock.seconds()
            outbound.request(now)
            self._connection.write(REQUEST)
            self._clock.callLater(DOUBT_SECONDS, self._decide, now)

    def _decide(self, asked_at: float) -> None:
        self._is_doubted = False
        outbound = self._management.outbound
        if self.stream is not None and outbound is not None and outbound.waits_since(asked_at):
            self._connection.end_now(StreamError("connection-timeout", "you do not say how far you got"))

    def forget(self) -> None:
        """What it carries ends with it."""
        stream, self.stream = self.stream, None
        if stream is not None:
            self._streams.forget(stream)

    def end(self) -> Resumable | None:
        """The connection is gone: returns what it carried, for others to go on with."""
        if self._wanted is not None:
            self._streams.lost(self._wanted, self._connection)
        stream, self.stream, self._wanted = self.stream, None, None
        if stream is not None:
            self._streams.lost(stream, self._connection)
            outbound = self._management.outbound
            stream.acked = None if outbound is None else outbound.acked_h
        return stream
