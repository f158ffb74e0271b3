"""Twisted's endpoint strings, as far as the configuration and its check must understand them before listening."""

import re
from typing import Any, Final, NamedTuple

from twisted.internet.endpoints import serverFromString

_PORT_MAX: Final = 65535
# A colon separates, unless a backslash stands before it (as `twisted.internet.endpoints` defines it).
_PARTS: Final = re.compile(r"((?:\\.|[^:\\])*)(?::|\Z)", re.DOTALL)
_ALL: Final = ("", "0.0.0.0", "::")
_OWN_TLS: Final = ("ssl", "tls")


class Port(NamedTuple):
    """A TCP port to listen on; `interface` is an IP address, or empty for all."""

    interface: str
    number: int
    ipv6: bool

    def __str__(self) -> str:
        return f"port {self.number}" + (f" of {self.interface}" if self.interface else "")

    def clashes(self, other: "Port") -> bool:
        """Whether one of the two is in the way of the other; port 0 is a different one each time."""
        if not self.number or self.number != other.number:
            return False
        if self.ipv6 != other.ipv6:  # all of IPv6 is all of IPv4 too
            return (self if self.ipv6 else other).interface in _ALL
        return self.interface == other.interface or self.interface in _ALL or other.interface in _ALL


def check_endpoint(text: str) -> str:
    """The same string, if a server can listen there. Raises ValueError with a message for people."""
    kind = text.partition(":")[0]
    if kind in _OWN_TLS:
        raise ValueError(f"{text!r}: Fermata does TLS itself, write tcp: instead of {kind}:")
    if "systemd" not in text.split(":")[:2]:  # it needs the environment of the service, at the start of the server
        _try(text)
    port = tcp_port(text)
    if port is not None and not 0 <= port.number <= _PORT_MAX:
        raise ValueError(f"{text!r}: the port must be between 0 and {_PORT_MAX}")
    return text


def _try(text: str) -> None:
    # Typed as Any because parsing needs no reactor, and asking for one would install it in a command-line program.
    no_reactor: Any = None
    try:
        serverFromString(no_reactor, text)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        example = '"tcp:5222" or "tcp:5222:interface=127.0.0.1"'
        raise ValueError(f"{text!r} is no Twisted endpoint string such as {example}") from error


def tcp_port(text: str) -> Port | None:
    """Where a valid `tcp:` or `tcp6:` endpoint (also inside `haproxy:`) listens; None for other kinds."""
    parts = [match[1] for match in _PARTS.finditer(text)]
    if parts[0] == "haproxy":
        parts.pop(0)
    kind, *rest = parts
    if kind not in ("tcp", "tcp6"):
        return None
    named = dict(part.split("=", 1) for part in rest if "=" in part)
    plain = [part for part in rest if part and "=" not in part]
    number = plain[0] if plain else named["port"]
    interface = plain[1] if len(plain) > 1 else named.get("interface", "")
    return Port(re.sub(r"\\(.)", r"\1", interface), int(number), kind == "tcp6")
