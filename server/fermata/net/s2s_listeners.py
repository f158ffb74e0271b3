"""Where other servers come in: ports, and how many may come from one address."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import ServerFactory

from ..xmpp.errors import StreamError
from .ports import open_port
from .s2s_connection import SharedByServers
from .s2s_incoming import IncomingConnection
from .tls_transport import TLSFactory

_SWEEP_SECONDS: Final = 60.0


class ServerListeners(ServerFactory):
    """Makes a connection for each that another server makes."""

    noisy = False

    def __init__(self, shared: SharedByServers, per_address: int) -> None:
        """`per_address` is how many connections may stand that come from one address; 0 is any number."""
        self._shared, self._per_address = shared, per_address
        self._connections: set[IncomingConnection] = set()
        self._addresses: Counter[str] = Counter()
        self._ports: list[IListeningPort] = []

    def buildProtocol(self, addr: IAddress | None) -> IncomingConnection | None:
        """See IProtocolFactory. None refuses the connection: too many from there."""
        host, port = str(getattr(addr, "host", "local")), getattr(addr, "port", "")
        if 0 < self._per_address <= self._addresses[host]:
            return None
        self._addresses[host] += 1

        def gone(connection: IncomingConnection) -> None:
            self._connections.discard(connection)
            self._addresses[host] -= 1
            if not self._addresses[host]:
                del self._addresses[host]

        shown = f"[{host}]" if ":" in host else host
        connection = IncomingConnection(self._shared, f"{shown}:{port}", gone)
        self._connections.add(connection)
        return connection

    def listen(self, reactor: Any, endpoints: Sequence[str], direct_tls: Sequence[str]) -> None:
        """Opens all ports, each named by a Twisted endpoint string. Raises PortError if one can't be."""
        secure = TLSFactory(self._shared.tls.server_creator(), self)
        for factory, texts in ((self, endpoints), (secure, direct_tls)):
            self._ports += [open_port(reactor, text, factory) for text in texts]
        self._shared.clock.callLater(_SWEEP_SECONDS, self._sweep)

    async def stop_listening(self) -> None:
        """Closes the ports; connections stay."""
        ports, self._ports = self._ports, []
        for port in ports:
            stopped = port.stopListening()
            if stopped is not None:
                await stopped

    def end_all(self, error: StreamError) -> None:
        """Closes every connection, since the process is about to end."""
        for connection in list(self._connections):
            connection.end_now(error)

    def __len__(self) -> int:
        return len(self._connections)

    def _sweep(self) -> None:
        for connection in list(self._connections):
            connection.quiet += 1
            connection.rest()
        self._shared.clock.callLater(_SWEEP_SECONDS, self._sweep)
