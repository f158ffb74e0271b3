"""Where the server of a domain may be, in the order in which the places are tried (RFC 2782, XEP-0368, RFC 8305 §4)."""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from itertools import chain, groupby, zip_longest
from typing import Final, NamedTuple

DEFAULT_PORT: Final = 5269  #: where a domain without SRV records has its server (RFC 6120 §3.2.2)
_NOT_OFFERED: Final = "."


class Service(NamedTuple):
    """One SRV record, of `_xmpp-server` or (`direct_tls`) of `_xmpps-server`; `host` is in ASCII, "." for nowhere."""

    priority: int
    weight: int
    host: str
    port: int
    direct_tls: bool

    @property
    def is_offered(self) -> bool:
        """Whether it leads anywhere: the target `.` says that there is no such service (RFC 2782)."""
        return self.host != _NOT_OFFERED


class Place(NamedTuple):
    """A host, by name or IP address, and a port there."""

    host: str
    port: int
    direct_tls: bool

    def __str__(self) -> str:
        return _shown(self.host, self.port, self.direct_tls)


class Target(NamedTuple):
    """One address of a place: something to connect to."""

    host: str
    address: str
    port: int
    direct_tls: bool

    def __str__(self) -> str:
        return _shown(self.address, self.port, self.direct_tls)


def _shown(host: str, port: int, direct_tls: bool) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{'tls:' if direct_tls else ''}{name}:{port}"


def in_order(services: Iterable[Service], draw: Callable[[int], int]) -> list[Place]:
    """The places of all services that are offered, both kinds mixed (XEP-0368 §3).

    Lower priorities come first; among equals, chance decides by weight: `draw(n)` is a whole number from 0 to n.
    """
    offered = sorted((each for each in services if each.is_offered), key=lambda each: each.priority)
    places: list[Place] = []
    for _, equals in groupby(offered, key=lambda each: each.priority):
        # Those of weight 0 come first into the draw, so that they have hardly any chance beside others (RFC 2782).
        left = sorted(equals, key=lambda each: each.weight > 0)
        while left:
            chosen = _drawn(left, draw)
            left.remove(chosen)
            places.append(Place(chosen.host, chosen.port, chosen.direct_tls))
    return list(dict.fromkeys(places))


def _drawn(services: Sequence[Service], draw: Callable[[int], int]) -> Service:
    number = draw(sum(each.weight for each in services))
    for each in services:
        number -= each.weight
        if number <= 0:
            break
    return each


def alternating(ipv6: Sequence[str], ipv4: Sequence[str]) -> list[str]:
    """The addresses of one host: if one of the two networks is broken, the other gets its turn soon."""
    return [address for address in chain.from_iterable(zip_longest(ipv6, ipv4)) if address is not None]


def literal(domain: str) -> str:
    """The IP address that a domainpart is itself (RFC 7622 §3.2), without the brackets of IPv6; empty if it is none."""
    address = domain.removeprefix("[").removesuffix("]")
    try:
        version = ip_address(address).version
    except ValueError:
        return ""
    return address if (version == 6) == domain.startswith("[") else ""
