"""What all connections with a stream have in common: writing at the end of a turn, and closing in time to read why."""

import socket
from collections.abc import Iterable
from typing import Any, Final, Protocol

from twisted.internet import protocol
from twisted.internet.interfaces import IPushProducer
from twisted.internet.unix import Server as UnixConnection
from twisted.python.failure import Failure
from zope.interface import implementer

from ..core.c2s_stream import stream_error
from ..core.xmlstream import StreamEvent, XMLStream
from ..host.origin import Clock, Timer
from ..xmpp.errors import StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .turn_writes import TurnWrites

_CLOSE_SECONDS: Final = 0.5  #: how long the peer has to read our goodbye
_ABORT_SECONDS: Final = 5.0  #: and how long to close the connection properly
# A machine that is gone says nothing, and not every protocol lets one ask: the system finds out, in two minutes. It
# asks only while nothing is under way; that something arrives nowhere (milliseconds), it would bear for longer.
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 120_000}


class Stream(Protocol):
    """Our half of a stream, as far as its connection must know it."""

    header_sent: bool

    def opening(self) -> str:
        """Our stream header, which is sent now."""


@implementer(IPushProducer)
class StreamConnection(protocol.Protocol):
    """One end of a connection. Its heirs say what becomes of what arrives, and fill in the three methods below."""

    transport: Any  # of TCP or TLS: Twisted's interfaces do not say that it is a consumer as well

    def __init__(self, clock: Clock, turn: TurnWrites, xml: XMLStream, stream: Stream) -> None:
        """`xml` parses what arrives; `stream` is negotiated on it."""
        self._clock, self._turn, self._xml, self._stream = clock, turn, xml, stream
        self._unsent: list[bytes] = []  #: written in this turn
        self._closing = False
        self._timer: Timer | None = None
        self.paused = False
        self.quiet = 0  #: how often in a row nobody has heard from the peer (see `StreamListeners`)

    def _take(self, event: StreamEvent) -> None:
        """Something has arrived. Raises StreamError."""
        raise NotImplementedError

    def _let_go(self) -> None:
        """Nothing more arrives, or may be written, for whoever is behind this connection."""
        raise NotImplementedError

    def _drain(self) -> None:
        """The peer keeps up again."""
        raise NotImplementedError

    def _take_all(self, events: Iterable[StreamEvent]) -> None:
        for event in events:
            self._take(event)
            if self._closing:
                return

    # -- the transport (twisted.internet)

    def connectionMade(self) -> None:
        """See Protocol."""
        self._socket = getattr(self.transport, "transport", self.transport)
        self._turn.adopt(self._socket)
        self.transport.registerProducer(self, True)
        if not isinstance(self._socket, UnixConnection):
            self.transport.setTcpNoDelay(True)

    def _keep_alive(self) -> None:
        """Has the system find out when the peer's machine is gone; only TCP needs that."""
        connection = self._socket
        handle = connection.getHandle() if hasattr(connection, "getHandle") else None
        if handle is not None and handle.family in (socket.AF_INET, socket.AF_INET6):
            connection.setTcpKeepAlive(True)
            for option, value in _KEEPALIVE.items():
                if hasattr(socket, option):  # each system has some of them
                    handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """See Protocol."""
        self._forget_timer()
        self._closing = True
        self._unsent.clear()
        self._turn.release(self._socket)
        self._let_go()

    def pauseProducing(self) -> None:
        """See IPushProducer: the peer does not keep up."""
        self.paused = True

    def resumeProducing(self) -> None:
        """See IPushProducer: it does again."""
        self.paused = False
        self._drain()

    def stopProducing(self) -> None:
        """See IPushProducer: the connection is going."""
        self.paused = True

    # -- what host.sessions.Link promises: writing and closing

    def write(self, xml: str) -> None:
        """Sends whole stanzas or other elements, at the end of this turn of the reactor."""
        if not self._unsent:
            self._turn.add(self)
        self._unsent.append(xml.encode())

    def send(self, payload: Payload, to: JID) -> None:
        """Sends a stanza, at the end of this turn of the reactor."""
        if not self._unsent:
            self._turn.add(self)
        self._unsent.append(self._turn.octets(payload, to))

    @property
    def has_backlog(self) -> bool:
        """Whether the system has not taken all that was written in earlier turns."""
        return bool(getattr(self._socket, "dataBuffer", b""))

    def flush(self) -> None:
        """Hands what was gathered to the transport."""
        if self._unsent:
            self._turn.before()
            self._turn.written += len(self._unsent)
            data = b"".join(self._unsent)
            self._unsent.clear()
            self.transport.write(data)

    def end(self, error: StreamError | None) -> None:
        """Closes the stream, then the connection, once the peer has had time to read why."""
        if self._closing:
            return
        self._closing = True
        self._forget_timer()
        self._let_go()
        opening = "" if self._stream.header_sent else self._stream.opening()
        self.write(opening + self._farewell(error))
        self._timer = self._clock.callLater(_CLOSE_SECONDS if error else 0, self._close)

    def _farewell(self, error: StreamError | None) -> str:
        """What ends our stream."""
        return stream_error(error) if error is not None else "</stream:stream>"

    def end_now(self, error: StreamError | None) -> None:
        """The same when the process is about to end, and nobody can be waited for."""
        self.end(error)
        self._forget_timer()
        self._close()

    def _close(self) -> None:
        self._timer = self._clock.callLater(_ABORT_SECONDS, self.transport.abortConnection)
        self.flush()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def rest(self) -> None:
        """Gives back what an idle connection does not need."""
        if self.quiet:
            self._xml.rest()

    def _end_after(self, seconds: float, error: StreamError) -> None:
        """Gives the peer so many seconds for what it has to do; 0 is as long as it likes."""
        if seconds:
            self._timer = self._clock.callLater(seconds, self.end, error)

    def _forget_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
