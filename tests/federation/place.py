"""Where a server of a made-up domain is: a loopback address of its own, a certificate, a name server."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CLIENTS, SERVERS, SERVERS_TLS = 5222, 5269, 5270  # ports, as everywhere


@dataclass(frozen=True)
class Place:
    """A domain's server. `trusted` holds the authorities that it believes, `resolver` is the port of its name server.

    `hosts` has the addresses once more, for programs that ask the C library.
    """

    domain: str
    address: str
    directory: Path
    certificate: Path
    key: Path
    trusted: Path
    resolver: int
    hosts: Path

    @property
    def rooms(self) -> str:
        """The domain of its rooms."""
        return f"conference.{self.domain}"


@dataclass(frozen=True)
class Terms:
    """What a server offers to others, and insists on. All offer SASL EXTERNAL; only ejabberd knows nothing of bidi."""

    dialback: bool = True  # without it, a valid certificate is the only proof
    bidi: bool = True
    management: bool = True
    archives: bool = False  # of rooms


def addresses() -> Iterator[str]:
    """Loopback addresses that no other run of these tests uses."""
    block = os.getpid() % (120 * 250)
    return (f"127.{130 + block // 250}.{1 + block % 250}.{number}" for number in itertools.count(1))
