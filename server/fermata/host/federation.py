"""What the connections to other servers (`net`) and those who use them (`services`) promise each other.

A *pair* is (a domain here, a domain elsewhere). Whatever passes between two servers passes for a pair that was proven:
with a certificate (SASL EXTERNAL) or by asking the domain's own server (dialback, XEP-0220).
"""

from collections.abc import Callable
from typing import Protocol

from ..core.s2s.pair import Pair, Verdict
from ..core.s2s.trouble import LASTING, Cause, Trouble
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID

__all__ = [
    "LASTING",
    "Cause",
    "Connection",
    "Dialling",
    "Federation",
    "Pair",
    "Trouble",
    "Trunk",
    "Verdict",
]


class Connection(Protocol):
    """A connection to another server, as its users see it (as host.sessions.Link)."""

    paused: bool  #: the peer does not keep up: write nothing now
    direction: str  #: "out", "in"; a bidirectional one is the one in which it was opened
    address: str  #: of the peer, as host and port
    is_encrypted: bool

    @property
    def proof(self) -> str:
        """How the peer has proven its domain: "certificate", "dialback"; empty: not at all."""

    @property
    def offers_management(self) -> bool:
        """Whether the peer has listed stream management (XEP-0198) in its features."""

    @property
    def stanza_bytes(self) -> int:
        """The largest stanza that the peer takes (XEP-0478), 0 if it has not said."""

    @property
    def has_backlog(self) -> bool:
        """Whether something that was written in an earlier turn is still in this process."""

    def complete(self) -> None:
        """The peer may prove no pairs besides those that it has proven: for more, it has to connect once more."""

    def write(self, xml: str) -> None:
        """Sends whole stanzas or other elements."""

    def end(self, error: StreamError | None) -> None:
        """Closes the stream and the connection, with an error if there is one.

        Without an error, what the peer has sent before it closes its stream as well still comes; then the trunk is
        lost. Nothing more is written meanwhile.
        """

    def end_now(self, error: StreamError | None) -> None:
        """The same when the process is about to end, or the peer is known not to read."""


class Trunk(Protocol):
    """What a connection whose peer has proven something hands on; one for each connection."""

    def sends(self, pair: Pair) -> None:
        """From now on the connection may carry stanzas of this pair to the peer."""

    def receives(self, pair: Pair) -> None:
        """From now on the peer may send stanzas of this pair. They come by `take`, already checked against it."""

    def take(self, stanza: Element, to: JID, sender: JID) -> None:
        """A stanza from the peer: its addresses are prepared, and belong to a pair of `receives`."""

    def take_refused(self, stanza: Element, to: JID, sender: JID, error: StanzaError) -> None:
        """One that was too much to be read, so that only its start tag is there, or whose addresses are malformed.

        Then `to` and `sender` are their domains alone. Either way both belong to a pair of `receives`.
        """

    def manage(self, element: Element) -> None:
        """An element of stream management (XEP-0198). Raises StreamError."""

    def drain(self) -> None:
        """The connection can take more."""

    def lost(self, trouble: Trouble) -> None:
        """The connection is gone, and with it all that was proven."""


class Federation(Protocol):
    """What connections to other servers need from the inside."""

    def is_served(self, domain: str) -> bool:
        """Whether a domain is one of ours: of accounts, rooms or a component."""

    def is_blocked(self, domain: str) -> bool:
        """Whether nobody at that domain is spoken to."""

    def requires_certificate(self, domain: str) -> bool:
        """Whether only a valid certificate proves that domain: dialback does not."""

    def key(self, local: str, remote: str, stream_id: str) -> str:
        """Our dialback key for a stream with that id from `local` to `remote` (XEP-0185)."""

    def trunk(self, connection: Connection) -> Trunk:
        """A connection has proven its first pair."""


class Dialling(Protocol):
    """Makes connections to other servers."""

    def open(self, pair: Pair, failed: Callable[[Trouble], None]) -> Callable[[], None]:
        """Connects for a pair, over all targets and addresses that there are, until one authenticates us.

        Success is a call of `Trunk.sends` for that pair; else `failed` is called once. Returns what gives the attempt
        up, silently.
        """

    def verify(self, pair: Pair, stream_id: str, key: str, answered: Callable[[Verdict, str], None]) -> None:
        """Asks the server of `pair.remote` whether a dialback key is its own; `answered` gets a text as well.

        Never over a connection that the key came in on; answers within 30 s.
        """
