"""What those in rooms here miss while their server is out of reach: a mark for each room instead of copies for each.

A room can tell it again: its messages from its archive, its occupants as they are by then. What it cannot tell again
(that somebody was removed, the subject for who enters, a private message) waits in the queue as anything does.
"""

from collections.abc import Collection, Iterable
from typing import Final

from ...xmpp.jid import JID
from ...xmpp.payload import Payload

MOST_NICKS: Final = 1_000  #: of which it is noted, for a room, that something was said about them
_SELF: Final = "code='110'"
_RENAMED: Final = "code='303'"
_SUBJECT: Final = "<subject"  # no text can hold a "<"


class MissedInRoom:
    """What was missed in one room: since which message of its archive, and whose presence has changed.

    `first` is the stanza-id of the first message that was missed, empty if there is none; `nicks` are the occupant
    JIDs that something was said about, as far as they are not too many: `is_full` says that they are.
    """

    __slots__ = ("first", "nicks")

    def __init__(self) -> None:
        self.first = ""
        self.nicks: dict[str, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether something may have been said about any other occupant as well."""
        return len(self.nicks) >= MOST_NICKS


class Missed:
    """For one pair: what is missed by `present`, the sessions that were in rooms here when their server got lost.

    Who enters a room later, while the server still cannot be reached from here, knows nothing yet: for him everything
    waits.
    """

    __slots__ = ("_entering", "_is_ending", "_present", "rooms", "since")

    def __init__(self, present: Collection[JID], since: float) -> None:
        self._present = frozenset(present)
        self._entering: set[tuple[str, JID]] = set()  # who of them has not been told that he is in, or is out again
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
        self.since, self.rooms = older.since, {}
        for name, room in older.rooms.items():
            self.assume(name, room.first, room.nicks)
        self._entering = {(room, one) for room in self.rooms for one in self._present if not older.misses(room, one)}

    def begin(self, waiting: Iterable[tuple[Payload, JID]]) -> None:
        """It is lost for the first time, and this waits: who is not even told that he is in is still to enter."""
        for payload, to in waiting:
            if payload.kind == "presence" and not payload.type and _SELF in payload.rest:
                self._entering.add((JID.parse(payload.sender).bare, to))

    def misses(self, room: str, session: JID) -> bool:
        """Whether somebody in a room is to be told what is noted of it."""
        return session in self._present and (room, session) not in self._entering

    def note(self, payload: Payload, to: JID, *, is_older: bool = False) -> bool:
        """Whether that need not wait, because the room can tell it again; then that is noted.

        `is_older`: it was said before all that is noted; then tell the latest first.
        """
        if to not in self._present:
            return False
        name = JID.parse(payload.sender).bare
        if (name, to) in self._entering:
            return False
        is_message = payload.kind == "message" and payload.type == "groupchat"
        if not (_is_said(payload) if is_message else _is_shown(payload)):
            if _is_exit(payload):
                self._entering.add((name, to))
            return False
        room = self.rooms.get(name)
        if room is None:
            if self._is_ending:
                return False
            room = self.rooms[name] = MissedInRoom()
        if not is_message:
            if not room.is_full:
                room.nicks[payload.sender] = None
        elif not room.first or (is_older and payload.archive_id):
            room.first = payload.archive_id  # stays empty for what is kept nowhere, and need not be told again
        return True

    def end(self) -> None:
        """There is a way again: rooms that have nothing to tell again are as they always were."""
        self._is_ending = True

    def told(self, room: str) -> None:
        """So is this room, from now on."""
        self.rooms.pop(room, None)


def _is_said(payload: Payload) -> bool:
    """Whether it is a message to all, which the archive has if it is worth it: not the subject for who enters."""
    return bool(payload.archive_id) or _SUBJECT not in payload.rest


def _is_exit(payload: Payload) -> bool:
    """Whether it says to somebody that he is not in the room any more."""
    return (
        payload.kind == "presence"
        and payload.type == "unavailable"
        and _SELF in payload.rest
        and _RENAMED not in payload.rest
    )


def _is_shown(payload: Payload) -> bool:
    """Whether it is a presence of somebody else: what is said about oneself may be the last that one hears."""
    return payload.kind == "presence" and payload.type in ("", "unavailable") and _SELF not in payload.rest
