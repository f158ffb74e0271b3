"""What is written in one turn of the reactor goes out at its end: once for each connection, and at once.

Twisted writes when the poll after next says that a socket can take it, which costs two changes of what is polled for
and a round of the reactor for each write. Nearly always the socket can take it now; if not, Twisted's way remains.
"""

from collections.abc import Callable
from typing import Any, Protocol

from ..host.origin import Clock
from ..xmpp.jid import JID
from ..xmpp.payload import Payload


class Flushable(Protocol):
    """A connection that has gathered what it will write."""

    def flush(self) -> None:
        """Hands it to the transport."""


class TurnWrites:
    """The connections and sockets with something to write before the turn ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connections: list[Flushable] = []
        self._sockets: list[Any] = []
        self._is_scheduled = False
        self._payload: Payload | None = None  # what was encoded last, and goes to many: the parts around its addressee
        self._opening = self._rest = b""
        self.before: Callable[[], object] = _nothing  #: called before anything is handed to a transport
        self.written = 0  #: how often connections have been given something to write

    def adopt(self, transport: Any) -> None:
        """From now on this socket is written to without a poll; a transport that is no socket stays as it is."""
        if hasattr(transport, "doWrite"):
            # The transport and what it calls now know each other; `release` parts them.
            transport.startWriting = lambda: self._socket_waits(transport)
            transport.write = lambda data: self._write(transport, data)

    def release(self, transport: Any) -> None:
        """The socket is closed."""
        vars(transport).pop("startWriting", None)
        vars(transport).pop("write", None)

    def octets(self, payload: Payload, to: JID) -> bytes:
        """A stanza as it goes out, for one recipient. What goes to many, one after the other, is encoded once."""
        if payload is not self._payload:
            self._payload = payload
            self._opening, self._rest = f"<{payload.kind} to='".encode(), f"'{payload.rest}".encode()
        return self._opening + to.attribute.encode() + self._rest

    def add(self, connection: Flushable) -> None:
        """The connection has something to write."""
        self._connections.append(connection)
        self._schedule()

    def _write(self, transport: Any, data: bytes) -> None:
        """Sends what the socket takes, unless something waits before it; the rest waits."""
        if transport.connected and not transport.dataBuffer and transport not in self._sockets:
            try:
                sent = transport.getHandle().send(data)
            except OSError:
                sent = 0  # it is full, or something has gone wrong, which the reactor finds out as ever
            if sent == len(data):
                return
            data = data[sent:]
        type(transport).write(transport, data)

    def _socket_waits(self, transport: Any) -> None:
        self._sockets.append(transport)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.callLater(0, self._end_of_turn)

    def _end_of_turn(self) -> None:
        self._is_scheduled = False
        self.flush()

    def flush(self) -> None:
        """Writes all that has been gathered."""
        connections, self._connections = self._connections, []
        self._payload = None
        self.before()
        for connection in connections:
            connection.flush()
        sockets, self._sockets = self._sockets, []
        for transport in sockets:
            _write_now(transport)


def _nothing() -> None:
    """Nothing must come before that."""


def _write_now(transport: Any) -> None:
    """Sends what the socket takes; for the rest, and for what has gone wrong, the reactor sees to it as ever."""
    if not transport.connected:
        return
    problem = transport.doWrite()
    if problem is not None or transport.dataBuffer:
        type(transport).startWriting(transport)
