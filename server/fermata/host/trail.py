"""What a session leaves on disk while it lives, so that it can outlive this process (XEP-0198 §5)."""

from collections.abc import Sequence
from typing import Protocol

from ..core.records import Step
from ..xmpp.jid import JID
from ..xmpp.payload import Payload


class Trail(Protocol):
    """One session's. What is noted in a turn of the reactor is on disk before anything of that turn is sent."""

    def told(self) -> None:
        """Its presence has changed, or what it wants to be told."""

    def managed(self, window: float) -> None:
        """It can be resumed within so many seconds: from now on its queue is noted as well."""

    def written(self, payload: Payload, to: JID) -> None:
        """A stanza was written to the client."""

    def waits(self, payload: Payload, to: JID, is_away: bool) -> None:
        """A stanza waits to be written; see `core.pending.Pending.put`."""

    def drained(self) -> None:
        """The one that has waited longest was written."""

    def thinned(self, everything: bool) -> None:
        """See `core.pending.Pending.thin`."""

    def acked(self, h: int) -> None:
        """The client has handled so many."""

    def lost(self, since: float | None = None) -> None:
        """The connection is gone, since that time (Unix seconds) or since now."""

    def found(self) -> None:
        """There is a connection again."""

    def ended(self) -> None:
        """The session is over, once what that has left to be kept is durable."""


class Promises(Protocol):
    """Stanzas that will be handed out once a step is durable: then they must be, even if the process dies before."""

    def to_sessions(self, step: Step, payload: Payload, to: JID, sessions: Sequence[JID]) -> None:
        """One stanza, addressed to `to`, for each of these sessions (full JIDs)."""

    def to_each(self, step: Step, payload: Payload, recipients: Sequence[JID]) -> None:
        """One stanza for each of these, addressed to him; who has no session here is not meant."""


class NoPromises:
    """Where sessions end with the process."""

    def to_sessions(self, step: Step, payload: Payload, to: JID, sessions: Sequence[JID]) -> None:
        """Nothing."""

    def to_each(self, step: Step, payload: Payload, recipients: Sequence[JID]) -> None:
        """Nothing."""
