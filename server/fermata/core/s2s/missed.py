"""What those in rooms here miss while their server is out of reach: a mark for each room instead of copies for each.

A room can tell it again: its messages from its archive, its occupants as they are by then. What it cannot tell again
(that somebody was removed, a private message) waits in the queue as anything does.
"""

from collections.abc import Collection, Iterable
from typing import Final

from ...xmpp.jid import JID
from ...xmpp.payload import Payload

_SELF: Final = "code='110'"


class MissedInRoom:
    """What was missed in one room: since which message of its archive, and whose presence has changed.

    `first` is the stanza-id of the first message that was missed, empty if there is none; `nicks` are the occupant
    JIDs that something was said about.
    """

    __slots__ = ("first", "nicks")

    def __init__(self) -> None:
        self.first = ""
        self.nicks: dict[str, None] = {}


class Missed:
    """For one pair: what is missed by `present`, the sessions that were in rooms here when their server got lost.

    Who enters later, while the server still cannot be reached from here, knows nothing yet: for him everything waits.
    """

    __slots__ = ("_is_ending", "_present", "rooms", "since")

    def __init__(self, present: Collection[JID], since: float) -> None:
        self._present = frozenset(present)
        self._is_ending = False
        self.since = since  #: when the server got lost (Unix seconds)
        self.rooms: dict[str, MissedInRoom] = {}  #: by the room's bare JID

    def assume(self, room: str, first: str, nicks: Iterable[str] = ()) -> None:
        """What is known of before: the room's messages since `first`, and what was said about these occupants."""
        noted = self.rooms.setdefault(room, MissedInRoom())
        noted.first = noted.first or first
        noted.nicks.update(dict.fromkeys(nicks))

    def go_on(self, older: "Missed") -> None:
        """It was lost again before all that was missed the first time could be told."""
        self.since, self.rooms = older.since, older.rooms

    def note(self, payload: Payload, to: JID) -> bool:
        """Whether that need not wait, because the room can tell it again; then that is noted."""
        if to not in self._present:
            return False
        is_message = payload.kind == "message" and payload.type == "groupchat"
        if not is_message and not _is_shown(payload):
            return False
        name = JID.parse(payload.sender).bare
        room = self.rooms.get(name)
        if room is None:
            if self._is_ending:
                return False
            room = self.rooms[name] = MissedInRoom()
        if not is_message:
            room.nicks[payload.sender] = None
        elif not room.first:
            room.first = payload.archive_id  # stays empty for what is kept nowhere, and need not be told again
        return True

    def end(self) -> None:
        """There is a way again: rooms that have nothing to tell again are as they always were."""
        self._is_ending = True

    def told(self, room: str) -> None:
        """So is this room, from now on."""
        self.rooms.pop(room, None)


def _is_shown(payload: Payload) -> bool:
    """Whether it is a presence of somebody else: what is said about oneself may be the last that one hears."""
    return payload.kind == "presence" and payload.type in ("", "unavailable") and _SELF not in payload.rest
