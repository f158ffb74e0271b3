"""`fermata check`: whether other servers can reach this one, and whether [s2s] means what it says."""

from collections.abc import Iterator
from ipaddress import ip_address

from .config import Config
from .endpoints import tcp_port
from .finding import Finding, note, warning

_HERE_ALONE = ("localhost",)


def s2s_findings(config: Config) -> Iterator[Finding]:
    """Everything about [s2s] that ports and certificates do not show."""
    s2s = config.s2s
    endpoints = (*s2s.listen, *s2s.listen_direct_tls)
    if not endpoints:
        yield note("`listen` in [s2s] is empty: there is no talking with other servers")
    elif all(map(_is_loopback, endpoints)) and not set(config.server.domains) <= set(_HERE_ALONE):
        yield note(
            "`listen` in [s2s]: no server on another machine can connect",
            'if that is not wanted: listen = ["tcp:5269"]',
        )
    served = config.certificate_names()
    for key, domains in (("routes", s2s.routes), ("domains", s2s.domains)):
        for domain in domains:
            if domain in served:
                yield warning(f'`{key}` "{domain}" in [s2s] has no effect: that domain is one of ours')


def _is_loopback(endpoint: str) -> bool:
    port = tcp_port(endpoint)
    if port is None or not port.interface:
        return False
    try:
        return ip_address(port.interface).is_loopback
    except ValueError:
        return False
