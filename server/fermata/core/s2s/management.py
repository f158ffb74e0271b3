"""Stream management of one connection between servers, in each direction that it is used in (XEP-0198).

Only the side that opened the stream enables it. A direction counts from the moment at which both sides know of it: what
we send from `<enable/>` or `<enabled/>` on, what we get likewise.
"""

from ...xmpp import namespaces as ns
from ...xmpp.element import Element
from ...xmpp.errors import StreamError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..c2s_stream import failed
from ..stream_management import Due, Inbound, Outbound

_FAILURES = 5  # so often may the peer ask for what there is not
_RESUMABLE = " resume='true'"
REQUEST = f"<r xmlns='{ns.SM}'/>"


class Management:
    """Counts for one connection; without stream management, it counts nothing."""

    __slots__ = ("_failures", "_is_enabled", "_opened_here", "inbound", "outbound")

    def __init__(self, opened_here: bool) -> None:
        self._opened_here = opened_here
        self._is_enabled = False
        self._failures = 0
        self.inbound: Inbound | None = None
        self.outbound: Outbound | None = None

    def enable(self, resumable: bool = False) -> str:
        """What to write, on a stream that we opened and whose peer offers it; what we send counts from now on."""
        self._is_enabled = True
        self.outbound = Outbound()
        return f"<enable xmlns='{ns.SM}'{_RESUMABLE if resumable else ''}/>"

    def go_on(self, inbound: Inbound, h: int) -> None:
        """The connection goes on with an older stream, of which the peer has handled `h`."""
        self._is_enabled = True
        self.inbound, self.outbound = inbound, Outbound(h)

    def receive(self, element: Element, receives: bool, durable: int, id: str = "") -> tuple[str, list[int]]:
        """Takes an element of the peer's: what to write, and what it has acknowledged of what waited in a spool.

        `receives` is whether the peer may send stanzas on this connection, `durable` the newest batch on disk; `id` is
        that of the stream if the peer can resume it, should it enable this now. Raises StreamError.
        """
        name = element.tag.rpartition("}")[2]
        if name == "r":
            return (self.acknowledgement(durable) if self.inbound is not None else ""), []
        if name == "a":
            return "", self.outbound.acked(number(element)) if self.outbound is not None else []
        if name == "enable":
            return self._enable(receives, id), []
        if name == "enabled" and self._opened_here and self._is_enabled and self.inbound is None:
            self.inbound = Inbound()
        elif name == "failed" and self._opened_here:
            self._is_enabled = False
        elif name not in ("enabled", "failed"):
            return self.refuse(), []
        return "", []

    @property
    def is_refused(self) -> bool:
        """Whether the peer has refused what we enabled: what we sent will never be acknowledged."""
        return self.outbound is not None and not self._is_enabled

    @property
    def is_begun(self) -> bool:
        """Whether it is enabled, or being enabled: then it cannot begin once more."""
        return self._is_enabled

    def _enable(self, receives: bool, id: str) -> str:
        if self._opened_here or self._is_enabled or not receives:
            return self.refuse()
        self._is_enabled = True
        self.inbound, self.outbound = Inbound(), Outbound()
        return f"<enabled xmlns='{ns.SM}'" + (f"{_RESUMABLE} id='{id}'/>" if id else "/>")

    def refuse(self, condition: str = "unexpected-request", h: int | None = None) -> str:
        """What to write if the peer asks for what cannot be. Raises StreamError if it has done so too often."""
        self._failures += 1
        if self._failures > _FAILURES:
            raise StreamError("policy-violation", "that has been refused often enough")
        return failed(condition, h)

    def acknowledgement(self, durable: int) -> str:
        """How far we got."""
        return "" if self.inbound is None else f"<a xmlns='{ns.SM}' h='{self.inbound.advance(durable)}'/>"

    def tick(self, now: float) -> Due:
        """What is due."""
        return Due.NOTHING if self.outbound is None else self.outbound.tick(now)

    def unacked(self) -> list[tuple[Payload, JID]]:
        """What the peer has not acknowledged."""
        return [] if self.outbound is None else self.outbound.unacked()


def number(element: Element) -> int:
    """The `h` of an element. Raises StreamError."""
    try:
        return int(element.get("h", ""))
    except ValueError:
        raise StreamError("bad-format", "h is a number") from None
