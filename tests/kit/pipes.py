"""Two ends of a connection without sockets: what one writes, the other receives in the next turn of a Clock."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

_WINDOW = 65_536  # bytes that may be under way before the writer is told to pause


class PipeEnd:
    """The transport of one end (twisted.internet.interfaces.ITransport, IConsumer)."""

    def __init__(self, clock: Clock, host: str) -> None:
        self._clock, self._host = clock, host
        self.protocol: Any = None
        self.other: PipeEnd
        self.reads = True  #: whether this end takes what comes
        self._arriving = b""
        self._producer: Any = None
        self._is_paused = self._is_closing = self.is_lost = False

    def write(self, octets: bytes) -> None:
        if self.is_lost or not octets:
            return
        self.other._arriving += octets
        self._clock.callLater(0, self.other.deliver)
        if len(self.other._arriving) > _WINDOW and not self._is_paused and self._producer is not None:
            self._is_paused = True
            self._producer.pauseProducing()

    def deliver(self) -> None:
        """Hands over what has arrived."""
        if self.reads and self._arriving and not self.is_lost:
            octets, self._arriving = self._arriving, b""
            self.protocol.dataReceived(octets)
            writer = self.other
            if writer._is_paused and writer._producer is not None:
                writer._is_paused = False
                writer._producer.resumeProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        self._producer = None

    def pauseProducing(self) -> None:
        self.reads = False

    def resumeProducing(self) -> None:
        self.reads = True
        self._clock.callLater(0, self.deliver)

    def loseConnection(self) -> None:  # noqa: N802
        if not self._is_closing:
            self._is_closing = True
            self._clock.callLater(0, self._close)

    def _close(self) -> None:
        """What was written is delivered first, if the other end reads."""
        if self.other._arriving and not self.other.is_lost:
            self._clock.callLater(0.1, self._close)
            return
        self._lose(ConnectionDone())
        self.other._lose(ConnectionDone())

    def abortConnection(self) -> None:  # noqa: N802
        """Cuts it."""
        self._lose(ConnectionLost())
        self.other._lose(ConnectionLost())

    def _lose(self, reason: Exception) -> None:
        if not self.is_lost:
            self.is_lost = True
            self.protocol.connectionLost(Failure(reason))

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """There is nothing to delay."""

    def getPeer(self) -> IPv4Address:  # noqa: N802
        return IPv4Address("TCP", self._host, 5269)


def connect(clock: Clock, one: Protocol, other: Protocol) -> tuple[PipeEnd, PipeEnd]:
    """Makes a connection between two protocols."""
    ends = PipeEnd(clock, "192.0.2.1"), PipeEnd(clock, "192.0.2.2")
    ends[0].other, ends[1].other = ends[1], ends[0]
    for end, protocol in zip(ends, (one, other), strict=True):
        end.protocol = protocol
    other.makeConnection(ends[1])  # type: ignore[arg-type]
    one.makeConnection(ends[0])  # type: ignore[arg-type]
    return ends


class Peer(Protocol):
    """An end that a test speaks for."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Any = None) -> None:
        self.lost = reason

    def say(self, xml: str) -> None:
        self.transport.write(xml.encode())  # type: ignore[union-attr]
