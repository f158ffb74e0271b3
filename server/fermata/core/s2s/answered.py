"""Requests to other servers that were answered lately: nobody is told twice what became of his (RFC 6120 §8.2.3)."""

from typing import Final

from ...xmpp.jid import JID

_MOST: Final = 2_000  #: requests whose fate can still be in doubt when a connection breaks are few


class Answered:
    """The newest answers, by who had asked whom, and the id."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[JID, JID, str], None] = {}

    def note(self, asker: JID, asked: JID, id: str) -> None:
        """An answer has come."""
        known = self._known
        known[asker, asked, id] = None
        if len(known) > _MOST:
            del known[next(iter(known))]

    def includes(self, asker: JID, asked: JID, id: str) -> bool:
        """Whether one has."""
        return (asker, asked, id) in self._known
