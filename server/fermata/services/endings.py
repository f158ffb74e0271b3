"""What the end of a session leaves to be done (RFC 6121 §4.5, XEP-0198 §5)."""

from collections.abc import Callable

from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.sessions import Session
from ..xmpp.errors import StanzaError
from .messages import Messages
from .presence import Presences
from .relayed import Relayed
from .stream_management import StreamManagement


class Endings:
    """Tells everybody who must know, and sees to what the client did not get."""

    def __init__(
        self,
        presences: Presences,
        messages: Messages,
        stream_management: StreamManagement,
        relayed: Relayed,
    ) -> None:
        self._presences, self._messages = presences, messages
        self._stream_management, self._relayed = stream_management, relayed
        #: called with an account and a session of it that is over, when everything else is done
        self.on_ended: list[Callable[[Account, Session], None]] = []

    def unreachable(self, account: Account, session: Session) -> None:
        """A connection was lost that can't be resumed: contacts are told at once, rooms not yet."""
        self._presences.withdraw(account, session, None, keeps_rooms=True)

    def ended(self, account: Account, session: Session, keeps_rooms: bool) -> None:
        """The session is over; with `keeps_rooms` its rooms are not told."""
        self._stream_management.ended(session)
        self._presences.withdraw(account, session, None, keeps_rooms)
        left = session.leftovers()
        self._messages.left_over(account, [(payload, to) for payload, to in left if payload.kind == "message"])
        for payload, to in left:
            if payload.kind == "iq" and payload.type in ("get", "set"):
                self._relayed.refuse(stanza_from(payload.addressed(to)), StanzaError("service-unavailable"))
        for told in self.on_ended:
            told(account, session)
