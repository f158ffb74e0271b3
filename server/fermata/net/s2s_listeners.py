"""Where other servers come in, and how many questions about keys they may raise."""

from ipaddress import IPv4Address, ip_address, ip_network
from math import inf
from typing import Final

from .s2s_connection import SharedByServers
from .s2s_incoming import IncomingConnection
from .stream_listeners import StreamListeners
from .turns import Turns

_VERIFICATIONS: Final = 40  #: so many keys from one network are asked about at a time; the others wait
_NETWORK_BITS: Final = 64  #: whoever has an IPv6 address has all those that begin like it


class ServerListeners(StreamListeners[IncomingConnection]):
    """Makes a connection for each that another server makes."""

    def __init__(self, shared: SharedByServers, per_network: int) -> None:
        """`per_network` is how many connections may stand that come from one network (see `network_of`); 0 is any."""
        super().__init__(shared.clock, shared.tls.server_creator(), per_network)
        self._shared = shared
        self._verifications = Turns(inf, _VERIFICATIONS)

    def _accept(self, host: str, port: str) -> IncomingConnection:
        shown = f"[{host}]" if ":" in host else host
        return IncomingConnection(self._shared, f"{shown}:{port}", network_of(host), self._verifications, self._gone)

    def _place_of(self, host: str) -> str:
        return network_of(host)


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
