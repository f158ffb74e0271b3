"""Servers of every program and every variation that tests ask for, each started when it is first asked for."""

from dataclasses import dataclass, replace

from kit.ca import self_signed

from .ejabberd import Ejabberd
from .fermata import Fermata
from .internet import Internet
from .place import Terms
from .prosody import Prosody
from .site import Site

PROGRAMS: dict[str, type[Fermata | Prosody | Ejabberd]] = {
    "fermata": Fermata,
    "prosody": Prosody,
    "ejabberd": Ejabberd,
}

USUAL = Terms()
PEOPLE = 60  # with accounts on a server about which nothing is special


@dataclass(frozen=True)
class Variation:
    """What is special about a server.

    With `is_hidden`, nobody finds it: it has to make all connections itself. With `is_relayed`, others are sent to
    `Sites.relay_address`, from where a test has to bring them to the server.
    """

    terms: Terms = USUAL
    is_self_signed: bool = False
    is_direct_tls: bool = False
    is_hidden: bool = False
    is_relayed: bool = False


VARIATIONS = {
    "usual": Variation(),
    "dialback": Variation(is_self_signed=True),
    "external": Variation(Terms(dialback=False)),
    "oneway": Variation(Terms(bidi=False)),
    "hidden": Variation(is_hidden=True),
    "direct": Variation(is_direct_tls=True),
    "relayed": Variation(is_relayed=True),
    "archived": Variation(Terms(archives=True)),
    "unmanaged": Variation(Terms(management=False)),
}


class Sites:
    """Those that run."""

    def __init__(self, net: Internet) -> None:
        self._net = net
        self._sites: dict[str, Site] = {}
        self._relays: dict[Site, str] = {}

    def site(self, name: str) -> Site:
        """The one called "program", "program-variation" or "program-variation-number"; it runs.

        Raises interop.peers.PeerError if the program can't be had.
        """
        if name not in self._sites:
            program, variation = [*name.split("-"), "usual"][:2]
            domain = ".".join([*reversed(name.split("-")), "example"])
            self._sites[name] = self._made(PROGRAMS[program], VARIATIONS[variation], domain)
        return self._sites[name]

    def _made(self, program: type[Fermata | Prosody | Ejabberd], variation: Variation, domain: str) -> Site:
        issued = self_signed(domain, f"conference.{domain}") if variation.is_self_signed else None
        place = self._net.place(domain, issued)
        site = program(place, variation.terms, PEOPLE if variation is VARIATIONS["usual"] else 0)
        published = replace(place, address=self._net.address()) if variation.is_relayed else place
        self._relays[site] = published.address
        if not variation.is_hidden:
            self._net.publish(published, direct_tls=variation.is_direct_tls)
        site.start()
        return site

    def relay_address(self, site: Site) -> str:
        """Where others expect that site."""
        return self._relays[site]

    def part(self) -> None:
        """Every client of every site goes. Raises AssertionError if one of our servers has logged a traceback."""
        for site in self._sites.values():
            site.part()
        failures = "".join(site.failures() for site in self._sites.values())
        assert not failures, failures

    def kill(self) -> None:
        """The end."""
        for site in self._sites.values():
            site.kill()
