"""Where clients come in: ports, how many may come from one address, and who of them has fallen silent."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import ServerFactory

from ..host.sessions import Session
from ..xmpp.errors import StreamError
from .c2s import ClientConnection, Shared
from .ports import open_port
from .tls import TLSForStream
from .tls_transport import TLSFactory

_SWEEP_SECONDS: Final = 60.0
_PING_AFTER: Final = 5  #: sweeps without a byte from the peer, after which it is asked for one
_GONE_AFTER: Final = 6  #: and after which it is taken for dead


class ClientListeners(ServerFactory):
    """Makes a connection for each client, and keeps an eye on all of them."""

    noisy = False

    def __init__(self, shared: Shared, per_address: int) -> None:
        self._shared, self._per_address = shared, per_address
        self._connections: set[ClientConnection] = set()
        self._addresses: Counter[str] = Counter()
        self._ports: list[IListeningPort] = []

    def buildProtocol(self, addr: IAddress | None) -> ClientConnection | None:
        """See IProtocolFactory. None refuses the connection: too many from there."""
        address = str(getattr(addr, "host", "local"))
        if 0 < self._per_address <= self._addresses[address]:
            return None
        self._addresses[address] += 1

        def gone(connection: ClientConnection) -> None:
            self._connections.discard(connection)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

        connection = ClientConnection(self._shared, address, gone)
        self._connections.add(connection)
        return connection

    def listen(self, reactor: Any, endpoints: Sequence[str], direct_tls: Sequence[str]) -> None:
        """Opens all ports, each named by a Twisted endpoint string. Raises PortError if one can't be."""
        secure = TLSFactory(TLSForStream(self._shared.identities), self)
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

    def stop_reading(self) -> None:
        """Nobody is heard any more."""
        for connection in list(self._connections):
            connection.stop_reading()

    def part_all(self, last_words: Callable[[Session], str | None]) -> None:
        """Closes every connection, since the process is about to end; see `ClientConnection.part`."""
        for connection in list(self._connections):
            connection.part(last_words)

    def __len__(self) -> int:
        return len(self._connections)

    def _sweep(self) -> None:
        """Asks those who have been silent for long whether they are there, and lets go of those who do not answer."""
        for connection in list(self._connections):
            connection.quiet += 1
            connection.rest()
            if connection.quiet >= _GONE_AFTER:
                connection.end(StreamError("connection-timeout"))
            elif connection.quiet == _PING_AFTER:
                connection.ask()
        self._shared.clock.callLater(_SWEEP_SECONDS, self._sweep)
