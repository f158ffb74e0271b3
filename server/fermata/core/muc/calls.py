"""Who is called after a start, and how fast: invitations to come back (XEP-0045 §7.8.2), and pushes (XEP-0357).

Everybody who is called asks the room something, and may enter it again: so it is one after the other, in no order that
would bring all of one room at once.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from ...xmpp.jid import JID
from ..records import InviteOwed, InviteSettled, PushSaved, Record

FIRST_SECONDS: Final = 30.0  #: after the start: whoever is called must find a server that answers
PER_SECOND: Final = 20.0
OLDEST_SECONDS: Final = 86_400.0  #: who has been out for so long is not called any more
ANSWER_SECONDS: Final = 600.0  #: who has been called and has said nothing is owed nothing more after this time
_TOGETHER_SECONDS: Final = 10.0  # in which such debts gather, to be written off together


class Wanted(Enum):
    """Who is invited back."""

    OPT_IN = "opt-in"
    ALL = "all"
    OFF = "off"


class Call(NamedTuple):
    """Something that one session is to be told, now that a room is there again."""

    room: JID
    of: InviteOwed | PushSaved


class Calls:
    """The calls of one start; `waiting` is how many there still are."""

    def __init__(self, calls: Iterable[Call], started: float) -> None:
        """`started` is when the service did."""
        invited = set()
        self._waiting: list[Call] = []
        pushes: list[Call] = []
        for call in calls:
            if isinstance(call.of, PushSaved):
                pushes.append(call)
            else:
                invited.add((call.room, call.of.jid))
                self._waiting.append(call)
        # One call is enough to make a client look after a room.
        self._waiting += [call for call in pushes if (call.room, call.of.jid) not in invited]
        self._due = started + FIRST_SECONDS
        self._owed: deque[tuple[float, InviteSettled]] = deque()

    @property
    def waiting(self) -> int:
        """How many calls are still to be made."""
        return len(self._waiting)

    def forget(self, bare: JID) -> None:
        """An account is gone: whoever gets its address later is not to be called in its place."""
        self._waiting = [call for call in self._waiting if JID.parse(call.of.jid).bare != bare]

    def next_deadline(self) -> float | None:
        """When `take` or `written_off` is to be called next, if ever."""
        deadlines = [self._due] if self._waiting else []
        if self._owed:
            deadlines.append(self._owed[0][0] + _TOGETHER_SECONDS)
        return min(deadlines, default=None)

    def take(self, now: float, chance: float) -> Call | None:
        """A call to be made now, if it is time for one; `chance`, from 0 to below 1, says which and when the next."""
        if not self._waiting or now < self._due:
            return None
        place = int(chance * len(self._waiting))
        self._waiting[place], self._waiting[-1] = self._waiting[-1], self._waiting[place]
        call = self._waiting.pop()
        self._due = max(now, self._due) + (0.5 + chance) / PER_SECOND
        if isinstance(call.of, InviteOwed):
            self._owed.append((now + ANSWER_SECONDS, InviteSettled(call.of.room, call.of.jid)))
        return call

    def written_off(self, now: float) -> list[Record]:
        """What is not owed any more to those who were called long ago."""
        settled: list[Record] = []
        while self._owed and self._owed[0][0] <= now:
            settled.append(self._owed.popleft()[1])
        return settled


def sort_out(owed: Iterable[tuple[JID, InviteOwed]], wanted: Wanted, now: float) -> tuple[list[Call], list[Record]]:
    """The invitations that are to be sent, and for all others the word that they are owed no more."""
    calls: list[Call] = []
    settled: list[Record] = []
    for room, invite in owed:
        is_wanted = wanted is Wanted.ALL or (wanted is Wanted.OPT_IN and invite.wanted)
        if is_wanted and now - invite.stamp < OLDEST_SECONDS:
            calls.append(Call(room, invite))
        else:
            settled.append(InviteSettled(invite.room, invite.jid))
    return calls, settled
