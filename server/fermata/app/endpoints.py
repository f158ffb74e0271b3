"""Twisted's endpoint strings, as far as the configuration and its check must understand them before listening."""

import re
from typing import Any, Final, NamedTuple

from twisted.internet.endpoints import serverFromString

_PORT_MAX: Final = 65535
# A colon separates, unless a backslash stands before it (as `twisted.internet.endpoints` defines it).
_PARTS: Final = re.compile(r"((?:\\.|[^:\\])*)(?::|\Z)", re.DOTALL)
_ALL: Final = ("", "0.0.0.0", "::")
_OWN_TLS: Final = ("ssl", "tls")
_FAMILIES: Final = ("INET", "INET6", "UNIX")


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
    if not _is_of_systemd(text):  # those need the environment of the service, at the start of the server
        _try(text)
    elif inherited_socket(text) is None:
        example = '"systemd:domain=INET:name=c2s" or "systemd:domain=INET6:index=0"'
        raise ValueError(f"{text!r} names no socket of systemd as {example} does")
    port = tcp_port(text)
    if port is not None and not 0 <= port.number <= _PORT_MAX:
        raise ValueError(f"{text!r}: the port must be between 0 and {_PORT_MAX}")
    return text


def clash(first: str, second: str) -> bool:
    """Whether two valid endpoints cannot both be listened on."""
    port, other = tcp_port(first), tcp_port(second)
    if port is not None and other is not None:
        return port.clashes(other)
    inherited = inherited_socket(first)
    return inherited is not None and inherited == inherited_socket(second)


def _try(text: str) -> None:
    # Typed as Any because parsing needs no reactor, and asking for one would install it in a command-line program.
    no_reactor: Any = None
    try:
        serverFromString(no_reactor, text)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        example = '"tcp:5222" or "tcp:5222:interface=127.0.0.1"'
        raise ValueError(f"{text!r} is no Twisted endpoint string such as {example}") from error


def inherited_socket(text: str) -> str | None:
    """Which socket that systemd passes on (`name=c2s`, `index=0`) an endpoint stands for; None if it is no such."""
    if not _is_of_systemd(text):
        return None
    _, plain, named = _parts(text)
    if named.pop("domain", "") not in _FAMILIES or plain or len(named) != 1:
        return None
    ((key, value),) = named.items()
    is_one = value != "" if key == "name" else key == "index" and value.isdecimal()
    return f"{key}={value}" if is_one else None


def _is_of_systemd(text: str) -> bool:
    return text.removeprefix("haproxy:").startswith("systemd:")


def tcp_port(text: str) -> Port | None:
    """Where a valid `tcp:` or `tcp6:` endpoint (also inside `haproxy:`) listens; None for other kinds."""
    kind, plain, named = _parts(text)
    if kind not in ("tcp", "tcp6"):
        return None
    number = plain[0] if plain else named["port"]
    interface = plain[1] if len(plain) > 1 else named.get("interface", "")
    return Port(re.sub(r"\\(.)", r"\1", interface), int(number), kind == "tcp6")


def _parts(text: str) -> tuple[str, list[str], dict[str, str]]:
    """The kind of an endpoint, what follows it without a name, and what has one."""
    kind, *rest = [match[1] for match in _PARTS.finditer(text.removeprefix("haproxy:"))]
    named = dict(part.split("=", 1) for part in rest if "=" in part)
    return kind, [part for part in rest if part and "=" not in part], named
