"""Where a stanza came from, as far as those who act on it must know; and what time is to us."""

from collections.abc import Callable
from typing import Any, Protocol

from ..core.records import Step
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """It shall not come."""

    def active(self) -> int:
        """Whether it is still to come."""

    def getTime(self) -> float:  # noqa: N802
        """When it comes, in the clock's seconds."""


class Clock(Protocol):
    """Time and timers; Twisted's reactor and its test clock are such."""

    def seconds(self) -> float:
        """Unix seconds."""

    def callLater(self, delay: float, call: Callable[..., object], *arguments: Any) -> Timer:  # noqa: N802
        """Calls back after `delay` seconds."""


class Origin(Protocol):
    """A source of stanzas: a session, a room, a stream from another server."""

    @property
    def jid(self) -> JID:
        """Its address."""

    @property
    def is_counting(self) -> bool:
        """Whether it is told what is safe with us: then whatever it sends must be durable somewhere."""

    def emit(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """Lets an effect out in this source's order, once the batch `ticket` is durable."""

    def answer(self, stanza: Element) -> None:
        """Sends a stanza back to where this one came from, now."""

    def refuse(self, stanza: Element, error: StanzaError) -> None:
        """Answers a stanza of this source with an error, in order, if it may be answered at all."""

    def hold(self) -> Callable[[], None]:
        """Keeps the stanza now being taken from counting as handled until what is returned has been called."""
