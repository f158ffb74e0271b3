"""Where other servers come in: ports, and how many may come from one address."""

from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address, ip_network
from math import inf
from typing import Any, Final

from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import ServerFactory

from ..xmpp.errors import StreamError
from .ports import open_port
from .s2s_connection import SharedByServers
from .s2s_incoming import IncomingConnection
from .tls_transport import TLSFactory
from .turns import Turns

_SWEEP_SECONDS: Final = 60.0
_VERIFICATIONS: Final = 40  #: so many keys from one network are asked about at a time; the others wait
_NETWORK_BITS: Final = 64  #: whoever has an IPv6 address has all those that begin like it


class ServerListeners(ServerFactory):
    """Makes a connection for each that another server makes."""

    noisy = False

    def __init__(self, shared: SharedByServers, per_address: int) -> None:
        """`per_address` is how many connections may stand that come from one network (see `network_of`); 0 is any."""
        self._shared, self._per_address = shared, per_address
        self._verifications = Turns(inf, _VERIFICATIONS)
        self._connections: set[IncomingConnection] = set()
        self._networks: Counter[str] = Counter()
        self._ports: list[IListeningPort] = []

    def buildProtocol(self, addr: IAddress | None) -> IncomingConnection | None:
        """See IProtocolFactory. None refuses the connection: too many from there."""
        host, port = str(getattr(addr, "host", "local")), getattr(addr, "port", "")
        network = network_of(host)
        if 0 < self._per_address <= self._networks[network]:
            return None
        self._networks[network] += 1
        shown = f"[{host}]" if ":" in host else host
        connection = IncomingConnection(self._shared, f"{shown}:{port}", network, self._verifications, self._gone)
        self._connections.add(connection)
        return connection

    def _gone(self, connection: IncomingConnection) -> None:
        self._connections.discard(connection)
        self._networks[connection.network] -= 1
        if not self._networks[connection.network]:
            del self._networks[connection.network]

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


def network_of(host: str) -> str:
    """The addresses that are one party's: an IPv4 address alone, of IPv6 a /64; what is no address, as it is."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(ip_network((address, _NETWORK_BITS), strict=False))
