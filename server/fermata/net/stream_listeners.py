"""Where connections come in, of whatever kind: ports, how many may stand from one place, and which of them are idle."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from twisted.internet.interfaces import IAddress, IListeningPort, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import ServerFactory

from ..host.origin import Clock
from ..xmpp.errors import StreamError
from .ports import open_port
from .stream_connection import StreamConnection
from .tls_transport import TLSFactory

_SWEEP_SECONDS: Final = 60.0

Connection = TypeVar("Connection", bound=StreamConnection)


class StreamListeners(ServerFactory, Generic[Connection]):
    """Makes a connection for each that somebody makes, in `_accept`; its heirs say which."""

    noisy = False

    def __init__(self, clock: Clock, tls: IOpenSSLServerConnectionCreator | None = None, most: int = 0) -> None:
        """`tls` begins it where connections are in TLS from their first byte.

        `most` is how many connections may stand that come from one place (see `_place_of`); 0 is any number.
        """
        self._clock, self._tls, self._most = clock, tls, most
        self._connections: dict[Connection, str] = {}  # and the place that each comes from
        self._places: Counter[str] = Counter()
        self._ports: list[IListeningPort] = []

    def _accept(self, host: str, port: str) -> Connection:
        """A connection from there; it calls `_gone` once it is lost."""
        raise NotImplementedError

    def _place_of(self, host: str) -> str:
        return host

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        """See IProtocolFactory. None refuses the connection: too many from there."""
        host, port = str(getattr(addr, "host", "local")), str(getattr(addr, "port", ""))
        place = self._place_of(host)
        if 0 < self._most <= self._places[place]:
            return None
        self._places[place] += 1
        connection = self._accept(host, port)
        self._connections[connection] = place
        return connection

    def _gone(self, connection: Connection) -> None:
        place = self._connections.pop(connection)
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]

    def listen(self, reactor: Any, endpoints: Sequence[str], direct_tls: Sequence[str] = ()) -> None:
        """Opens all ports, each named by a Twisted endpoint string. Raises PortError if one can't be."""
        self._ports += [open_port(reactor, text, self) for text in endpoints]
        if self._tls is not None:
            secure = TLSFactory(self._tls, self)
            self._ports += [open_port(reactor, text, secure) for text in direct_tls]
        self._clock.callLater(_SWEEP_SECONDS, self._sweep)

    async def stop_listening(self) -> None:
        """Closes the ports; connections stay."""
        ports, self._ports = self._ports, []
        for port in ports:
            stopped = port.stopListening()
            if stopped is not None:
                await stopped

    def end_all(self, error: StreamError | None) -> None:
        """Closes every connection, since the process is about to end."""
        for connection in list(self._connections):
            connection.end_now(error)

    def __len__(self) -> int:
        return len(self._connections)

    def _sweep(self) -> None:
        for connection in list(self._connections):
            self._tend(connection)
        self._clock.callLater(_SWEEP_SECONDS, self._sweep)

    def _tend(self, connection: Connection) -> None:
        """Looks after a connection that stands, every minute."""
        connection.quiet += 1
        connection.rest()
