"""Where a stanza came from, as far as those who act on it must know."""

from collections.abc import Callable
from typing import Any, Protocol

from ..core.records import Step
from ..xmpp.errors import StanzaError
from ..xmpp.element import Element
from ..xmpp.jid import JID


class Clock(Protocol):
    """Time and timers; Twisted's reactor and its test clock are such."""

    def seconds(self) -> float:
        """Seconds since some moment that does not move."""

    def callLater(self, delay: float, call: Callable[..., object], *arguments: Any) -> Any:  # noqa: N802
        """Calls back after `delay` seconds; what is returned can be cancelled."""


class Origin(Protocol):
    """A source of stanzas: a session, a room, a stream from another server, or the server itself."""

    jid: JID

    def emit(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """Lets an effect out in this source's order, once the batch `ticket` is durable."""

    def refuse(self, stanza: Element, error: StanzaError) -> None:
        """Answers a stanza of this source with an error, in order, if it may be answered at all."""

    def hold(self) -> Callable[[], None]:
        """Keeps the stanza now being taken from counting as handled until what is returned has been called."""
