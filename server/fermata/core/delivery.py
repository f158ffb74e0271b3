"""To whom a stanza for an account goes (RFC 6121 §8.5).

First ask for the recipients; where there are none, what becomes of the stanza instead. The host's own session objects
serve as they are: `sessions` are those of the account, by resource. The `to` of a stanza is never rewritten.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, Protocol, TypeVar

from ..xmpp.stanza import SUBSCRIPTION_TYPES


class Recipient(Protocol):
    """A session, as far as delivery must know it."""

    @property
    def priority(self) -> int | None:
        """Of its last presence; None while it is not available."""


S = TypeVar("S", bound=Recipient)


class Undelivered(Enum):
    """What becomes of a stanza that no session gets."""

    ACCOUNT = "the server takes it on behalf of the account"
    OFFLINE = "it is kept for later if it is of that kind, and else refused"
    REFUSE = "its sender gets `service-unavailable`"
    UNSUBSCRIBED = "its sender gets a presence of type `unsubscribed`"
    IGNORE = "it is dropped"


def message_recipients(type: str, resource: str, sessions: Mapping[str, S]) -> Sequence[S]:
    """Which sessions get a message of that type that is for `resource` (empty: for the bare JID).

    A resource gets what is for it even while it is not available; what is for the bare JID, and a chat message for a
    resource that is gone, goes to all sessions of non-negative priority.
    """
    if resource:
        session = sessions.get(resource)
        if session is not None:
            return (session,)
        if type != "chat":
            return ()
    elif type in _NOT_FOR_BARE:
        return ()
    found = []
    for session in sessions.values():
        priority = session.priority
        if priority is not None and priority >= 0:
            found.append(session)
    return found


def message_undelivered(type: str, resource: str) -> Undelivered:
    """What becomes of a message that no session gets.

    The RFC leaves open what happens to messages for a resource that is gone. Those of type normal and groupchat are
    refused: that is how a room learns of an occupant that is not there.
    """
    if type == "chat" or (type == "normal" and not resource):
        return Undelivered.OFFLINE
    return Undelivered.IGNORE if type in _UNANSWERED else Undelivered.REFUSE


def presence_recipients(type: str, resource: str, sessions: Mapping[str, S]) -> Sequence[S]:
    """Which sessions get a presence of that type; subscriptions and probes are never for a session (§8.5.2.1)."""
    if type in _FOR_ACCOUNT:
        return ()
    if resource:
        session = sessions.get(resource)
        return () if session is None else (session,)
    return [session for session in sessions.values() if session.priority is not None]


def presence_undelivered(type: str) -> Undelivered:
    """What becomes of a presence that no session gets."""
    return Undelivered.ACCOUNT if type in _FOR_ACCOUNT else Undelivered.IGNORE


def iq_undelivered(type: str, resource: str) -> Undelivered:
    """What becomes of an iq for the bare JID, or for a resource that no session has (§8.5.2.1.3, §8.5.3.2.3)."""
    if not resource:
        return Undelivered.ACCOUNT
    return Undelivered.REFUSE if type in ("get", "set") else Undelivered.IGNORE


def without_account(kind: str, type: str) -> Undelivered:
    """What becomes of a stanza for an account that does not exist (§8.5.1).

    Whoever asks for a subscription, or probes, learns that there is none: else he would wait for ever.
    """
    if kind == "message":
        return Undelivered.IGNORE if type in _UNANSWERED else Undelivered.REFUSE
    if kind == "presence":
        return Undelivered.UNSUBSCRIBED if type in ("subscribe", "probe") else Undelivered.IGNORE
    return Undelivered.REFUSE if type in ("get", "set") else Undelivered.IGNORE


_NOT_FOR_BARE: Final = ("groupchat", "error")
_UNANSWERED: Final = ("headline", "error")
_FOR_ACCOUNT: Final = SUBSCRIPTION_TYPES | {"probe"}
