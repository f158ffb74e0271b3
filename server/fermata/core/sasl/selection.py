"""Which mechanisms a client may choose from, and the one it chose."""

from collections.abc import Collection, Mapping
from typing import Final

from ...xmpp.errors import SASLError
from .mechanism import Mechanism, Realm
from .plain import Plain
from .scram import Scram

# Strongest first. What each needs to know: hash, and whether the channel is bound.
_SCRAM: Final = {
    "SCRAM-SHA-256-PLUS": ("sha256", True),
    "SCRAM-SHA-256": ("sha256", False),
    "SCRAM-SHA-1-PLUS": ("sha1", True),
    "SCRAM-SHA-1": ("sha1", False),
}


def offered(tls: bool, channel_bindings: Collection[str], plain_in_clear: bool) -> tuple[str, ...]:
    """The mechanisms of a connection, strongest first.

    `channel_bindings` are the types that it has; `plain_in_clear` allows passwords to be shown without TLS.
    """
    names = [name for name, (_, plus) in _SCRAM.items() if channel_bindings or not plus]
    if tls or plain_in_clear:
        names.append("PLAIN")
    return tuple(names)


def begin(
    name: str, among: Collection[str], realm: Realm, nonce: str, channel_bindings: Mapping[str, bytes]
) -> Mechanism:
    """An attempt by the mechanism that a client chose among those offered; see `Scram` for the nonce.

    Raises SASLError `invalid-mechanism`, or `encryption-required` for PLAIN, which only TLS is missing for.
    """
    if name not in among:
        raise SASLError("encryption-required" if name == "PLAIN" else "invalid-mechanism")
    if name == "PLAIN":
        return Plain(realm)
    hash, plus = _SCRAM[name]
    return Scram(realm, hash, plus, nonce, channel_bindings)
