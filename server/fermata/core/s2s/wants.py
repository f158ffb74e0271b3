"""What the machines that negotiate streams between servers want to be done, in order, and what both are told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ...xmpp.errors import StreamError
from ..c2s_stream import Restart, StartTLS, Write
from .pair import Pair, Verdict
from .trouble import Trouble

__all__ = ["Ask", "End", "Policy", "Receives", "Restart", "Rules", "Sends", "StartTLS", "Verified", "Want", "Write"]


class Rules(Protocol):
    """See host.federation.Federation."""

    def is_served(self, domain: str) -> bool:
        """Whether a domain is one of ours."""

    def is_blocked(self, domain: str) -> bool:
        """Whether nobody at that domain is spoken to."""

    def requires_certificate(self, domain: str) -> bool:
        """Whether only a valid certificate proves that domain."""

    def key(self, local: str, remote: str, stream_id: str) -> str:
        """Our dialback key for a stream with that id from `local` to `remote`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is the same for all streams between servers: nothing passes in the clear if `require_tls`.

    `stanza_bytes` is the largest stanza that we take, 0 for any; bidirectional streams (XEP-0288) are offered and asked
    for if `offers_bidi`.
    """

    rules: Rules
    require_tls: bool
    offers_bidi: bool
    stanza_bytes: int


Proves = Callable[[str], str]  #: whether the peer's certificate proves a domain: empty, or words why it does not


@dataclass(frozen=True, slots=True)
class Sends:
    """We have proven our side of the pair, or need not: its stanzas may go to the peer."""

    pair: Pair


@dataclass(frozen=True, slots=True)
class Receives:
    """The peer has proven its side of the pair: its stanzas may come."""

    pair: Pair


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the authoritative server of `pair.remote` about a key; then call `answered` (XEP-0220 §2.1.2)."""

    pair: Pair
    stream_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What the authoritative server says of the key that it was asked about."""

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class End:
    """Close the stream, with an error if there is one; `trouble` says why for those on this side."""

    trouble: Trouble
    error: StreamError | None = None


Want = Write | StartTLS | Restart | Sends | Receives | Ask | Verified | End
