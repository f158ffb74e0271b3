"""Message Carbons (XEP-0280): to whom a copy of a message goes, and what it is.

Whether there is to be a copy at all, `core.keeping` says of the message, and `Shown` of an error.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from ..xmpp import namespaces as ns
from ..xmpp.element import escape
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .keeping import ARCHIVE, COPY, URGENT
from .presence import DirectedPresence

RECEIVED: Final = "received"
SENT: Final = "sent"
_IN_ROOM: Final = f"<x xmlns='{ns.MUC_USER}'"
_REMEMBERED: Final = 50
_LONGEST_ID: Final = 200  # characters: of one that is longer, errors are not copied


class Device(Protocol):
    """A session, as far as copies must know it."""

    directed: DirectedPresence

    @property
    def attached(self) -> Mapping[JID, object]:
        """Rooms (bare JIDs) in which its account stands for it."""


D = TypeVar("D", bound=Device)


def beside_recipients(listening: Iterable[D], recipients: Sequence[D], to: JID, sender: JID) -> list[D]:
    """Who gets a copy of a message that these recipients get (§7): all others of those that want copies.

    Nobody, if a room says it to a session that is in there: the room says it to everybody whom it is for.
    """
    if to.resource and any(sender.bare in session.directed.rooms for session in recipients):
        return []
    return [session for session in listening if session not in recipients]


def beside_author(listening: Iterable[D], author: D | None, to: JID, stands_in: bool) -> list[D]:
    """Who gets a copy of what one session has sent (§8): all others of those that want copies.

    Of a private message in a room, those that share the author's place there (§6.1): others could not answer it. Be it
    that the account `stands_in` the room for some of them, and others are there by themselves.
    """
    found = [session for session in listening if session is not author]
    if not found or not is_private(author, to, stands_in):
        return found
    room = to.bare
    place = None if author is None else author.directed.rooms.get(room)
    return [session for session in found if room in session.attached or _is_in(session, room, place)]


def _is_in(session: Device, room: JID, place: JID | None) -> bool:
    """Whether a session is in a room by itself, under that nickname if it is known."""
    its = session.directed.rooms.get(room)
    return its is not None and place in (None, its)


def is_private(author: Device | None, to: JID, stands_in: bool) -> bool:
    """Whether what a session has sent is a private message in a room."""
    return bool(to.resource) and (stands_in or (author is not None and to.bare in author.directed.rooms))


def copy_of_received(message: Payload, to: JID, account: JID) -> Payload:
    """The copy, for an account (bare JID), of a message that was for `to`."""
    return _wrapped(RECEIVED, message, to, account, COPY | message.keep & (ARCHIVE | URGENT))


def copy_of_sent(message: Payload, to: JID, account: JID, in_room: bool) -> Payload:
    """The copy of a message that a session of the account has sent; `in_room`: to an occupant, so it says that (§6.1).

    It does not alarm anybody: its author was there.
    """
    if in_room and _IN_ROOM not in message.rest:
        message = message.with_child(_IN_ROOM + "/>")
    return _wrapped(SENT, message, to, account, COPY | message.keep & ARCHIVE)


def _wrapped(name: str, message: Payload, to: JID, account: JID, keep: int) -> Payload:
    """No element is made: what is within a stanza is written as it would be within `jabber:client` (XEP-0297)."""
    type = f" type='{escape(message.type)}'" if message.type else ""
    inside = f"<message xmlns='{ns.CLIENT}' to='{to.attribute}'{message.rest}"
    forwarded = f"<{name} xmlns='{ns.CARBONS}'><forwarded xmlns='{ns.FORWARD}'>{inside}</forwarded></{name}>"
    rest = f" from='{account.attribute}'{type}>{forwarded}</message>"
    return Payload("message", rest, account, message.type, message.archive_id, message.stamp, keep)


class Shown:
    """What others have been shown of what one session has sent: an error that answers it is for them as well (§6.1).

    What an error repeats of a message proves nothing (§11.3), so it is known by its id and its addressee.
    """

    __slots__ = ("_newest",)

    def __init__(self) -> None:
        self._newest: deque[tuple[str, JID]] = deque(maxlen=_REMEMBERED)

    def add(self, id: str, to: JID) -> None:
        """A message was copied."""
        if 0 < len(id) <= _LONGEST_ID:
            self._newest.append((id, to.bare))

    def answered(self, id: str, sender: JID) -> bool:
        """Whether an error answers one of them; each is answered once."""
        known = (id, sender.bare)
        if known not in self._newest:
            return False
        self._newest.remove(known)
        return True
