"""The table [s2s] of the configuration: other servers, how they are found, and who of them is spoken to."""

# ruff: noqa: RUF009  -- `setting` makes a dataclass field, which is what ruff looks for here.

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ..net.targets import Place
from . import config_values as values
from .config_setting import setting
from .config_values import HostPort

_DIRECT_TLS: Final = "tls:"


class DomainPolicy(StrEnum):
    """How a domain elsewhere is treated."""

    ALLOW = "allow"
    BLOCK = "block"
    SECURE = "secure"


def _route(value: Any) -> Place:
    """A `host:port`, or `tls:host:port` where TLS comes first (XEP-0368)."""
    text = values.text(value)
    host, port = values.host_port(text.removeprefix(_DIRECT_TLS))
    return Place(host, port, text.startswith(_DIRECT_TLS))


@dataclass(frozen=True)
class S2S:
    """Connections to and from other servers.

    `fermata s2s test DOMAIN` tells, step by step, how far we get with one of them; `fermata s2s list` shows all.
    """

    listen: tuple[str, ...] = setting(
        ["tcp:5269:interface=127.0.0.1"],
        values.array_of(values.endpoint),
        "Where other servers connect.",
    )
    listen_direct_tls: tuple[str, ...] = setting(
        [],
        values.array_of(values.endpoint),
        "Where they connect with TLS from the first byte (XEP-0368), if your DNS has `_xmpps-server` records.",
        example='["tcp:5270"]',
    )
    require_tls: bool = setting(True, values.flag, "Talk to no server in clear text.")
    require_valid_certificate: bool = setting(
        False,
        values.flag,
        "False lets dialback, and so the DNS, vouch for a server whose certificate does not.",
    )
    bidi: bool = setting(
        True, values.flag, "Use one connection for both directions with servers that can do that (XEP-0288)."
    )
    resolver: HostPort | None = setting(
        "",
        values.optional(values.address_port),
        "A name server to ask instead of the system's, by its IP address. The system's file of hosts is then not read.",
        example='"127.0.0.1:53"',
    )
    routes: Mapping[str, Place] = setting(
        {},
        values.table_of(values.domain, _route),
        'Where to find a server, without asking the DNS; "tls:127.0.0.1:5270" where TLS comes first.',
        example='"peer.example" = "127.0.0.1:16269"',
    )
    domains: Mapping[str, DomainPolicy] = setting(
        {},
        values.table_of(values.domain, values.word_of(DomainPolicy)),
        'Who is treated in another way than all others: "block" lets nobody here and there talk to each other, "secure"'
        ' takes no proof but a valid certificate, "allow" is what all are that are not listed.',
        example='"peer.example" = "secure"',
    )

    def is_blocked(self, domain: str) -> bool:
        """Whether nobody at a domain is spoken to."""
        return self.domains.get(domain) is DomainPolicy.BLOCK

    def requires_certificate(self, domain: str) -> bool:
        """Whether only a valid certificate proves a domain."""
        return self.require_valid_certificate or self.domains.get(domain) is DomainPolicy.SECURE
