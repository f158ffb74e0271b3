"""Finds the server of a domain: routes of the configuration, SRV records, addresses (RFC 6120 §3.2, XEP-0368)."""

import re
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, Final, TypeVar

from idna import IDNAError
from twisted.internet.defer import Deferred
from twisted.names import dns
from twisted.names.hosts import searchFileForAll
from twisted.python.filepath import FilePath

from ..host.federation import Cause, Trouble
from ..host.origin import Clock
from .certificates import ascii_name
from .name_servers import NameServers, Server, SystemNameServers
from .names import Found, Names, UnreachableError, text_of
from .targets import DEFAULT_PORT, Place, Service, Target, alternating, in_order, literal

T = TypeVar("T")
_NAME_LENGTH: Final = 253
_LABEL: Final = re.compile(r"[!-~]{1,63}")
_SERVICES: Final = (("_xmpp-server", False), ("_xmpps-server", True))
_HOSTS: Final = Path("/etc/hosts")


class Resolver:
    """From a domain to its places, and from a place to its targets."""

    def __init__(self, names: Names, routes: Mapping[str, Place], hosts: Path | None) -> None:
        """`routes` are by domain; `hosts` is a file of addresses (hosts(5)) that comes before the DNS, if any."""
        self._names, self._routes, self._hosts = names, routes, hosts
        self._draw = SystemRandom().randint

    async def places(self, domain: str) -> list[Place]:
        """Where the server of a domain may be, in the order in which to try. Raises UnreachableError."""
        route = self._routes.get(domain)
        if route is not None:
            return [route]
        if literal(domain):
            return [Place(literal(domain), DEFAULT_PORT, False)]
        services = await self.services(domain)
        places = in_order(services, lambda most: self._draw(0, most))
        if places:
            return places
        if any(not each.direct_tls for each in services):  # which are all `.`
            text = f"{domain} says that no XMPP is spoken there with other servers (its SRV record names no host)"
            raise UnreachableError(Trouble(Cause.NO_DOMAIN, text))
        return [Place(_ascii(domain), DEFAULT_PORT, False)]

    async def services(self, domain: str) -> list[Service]:
        """The SRV records of a domain, in no order. Raises UnreachableError if none can be had."""
        name = f"_tcp.{_ascii(domain)}"
        found = await _outcomes(*(self._services(f"{service}.{name}", direct) for service, direct in _SERVICES))
        had = [record for each in found if not isinstance(each, UnreachableError) for record in each]
        if any(record.is_offered for record in had):
            return had  # and if the others could not be had, that does no harm
        return [record for each in found for record in _or_raise(each)]

    async def _services(self, name: str, direct_tls: bool) -> list[Service]:
        found = await self._names.find(name, dns.SRV)
        return [
            Service(each.priority, each.weight, text_of(each.target).rstrip(".") or ".", each.port, direct_tls)
            for each in found.records
        ]

    async def targets(self, place: Place) -> list[Target]:
        """The addresses of a place, in the order in which to try. Raises UnreachableError."""
        addresses = await self._addresses(place.host)
        return [Target(place.host, address, place.port, place.direct_tls) for address in addresses]

    async def _addresses(self, host: str) -> list[str]:
        own = literal(host) or literal(f"[{host}]")
        if own:
            return [own]
        listed = self._listed(host)
        if listed:
            return alternating([each for each in listed if ":" in each], [each for each in listed if ":" not in each])
        kinds = (dns.AAAA, dns.A)
        answers = await _outcomes(*(self._names.find(_ascii(host), kind) for kind in kinds))
        ipv6, ipv4 = map(_readable, answers)
        if not ipv6 and not ipv4:
            found = [_or_raise(each) for each in answers]
            text = f"{host} has no address" if any(each.exists for each in found) else f"{host} does not exist"
            raise UnreachableError(Trouble(Cause.NO_DOMAIN, text))
        return alternating(ipv6, ipv4)

    def _listed(self, host: str) -> list[str]:
        return searchFileForAll(FilePath(str(self._hosts)), host.encode()) if self._hosts is not None else []


def resolver(reactor: Any, clock: Clock, own: Server | None, routes: Mapping[str, Place]) -> Resolver:
    """One that asks the name server `own`, or if there is none, what the system would ask."""
    servers = NameServers(reactor, SystemNameServers() if own is None else lambda: [own])
    return Resolver(Names(servers, clock), routes, _HOSTS if own is None else None)


def _ascii(domain: str) -> str:
    """A domain as the DNS spells it. Raises UnreachableError if there can be no such name."""
    try:
        name = ascii_name(domain).lower()
    except IDNAError:
        name = ""
    if len(name) > _NAME_LENGTH or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise UnreachableError(Trouble(Cause.NO_DOMAIN, f"there can be no {domain} in the DNS"))
    return name


def _readable(answer: Found | UnreachableError) -> list[str]:
    records = () if isinstance(answer, UnreachableError) else answer.records
    return [inet_ntop(AF_INET if record.TYPE == dns.A else AF_INET6, record.address) for record in records]


async def _outcomes(*works: Coroutine[Any, Any, T]) -> Sequence[T | UnreachableError]:
    """Does all at once, and returns what became of each."""

    async def outcome(work: Coroutine[Any, Any, T]) -> T | UnreachableError:
        try:
            return await work
        except UnreachableError as error:
            return error

    begun = [Deferred.fromCoroutine(outcome(work)) for work in works]
    try:
        return [await each for each in begun]
    finally:  # given up, or a bug: then the others must not go on
        for each in begun:
            each.addErrback(lambda _: None)
            each.cancel()


def _or_raise(outcome: T | UnreachableError) -> T:
    if isinstance(outcome, UnreachableError):
        raise outcome
    return outcome
