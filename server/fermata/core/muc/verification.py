"""Occupants of whom nothing has been heard since the server started: are they still there?

After a start a room holds whom its journal has in it. Each of these sessions is *unverified* until it says something,
its link is resumed without loss, or it answers a ping (XEP-0199) of a room that it is in. One answer counts for all the
rooms of a full JID. Who cannot be asked stays: silence proves nothing, and a link that is down proves less.

A session of our own accounts is not asked: either it is there again after 30 s, or it is not.
"""

from collections.abc import Callable
from enum import Enum
from heapq import heappop, heappush
from math import inf
from typing import Final, NamedTuple

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ...xmpp.stanza import condition_of
from .exit import NOBODY_THERE

GRACE_SECONDS: Final = 30.0  #: for how long a session of our own that could not be restored is waited for
QUIET_SECONDS: Final = 30.0  #: after the start, or after a link is back, before anybody is asked
_PER_SECOND: Final = 10.0
_BURST_SECONDS: Final = 0.5
_SPREAD_SECONDS: Final = 10.0
#: After so long without a word that says anything a session is asked again; the last one from then on.
_PAUSES: Final = (60.0, 120.0, 300.0, 600.0, 900.0)


class Ping(NamedTuple):
    """To be sent as a request with this id, from the room to the session."""

    id: str
    room: JID
    session: JID


class Missed(NamedTuple):
    """The time of a session of our own accounts is over."""

    session: JID


class Verdict(Enum):
    """What is known of a session by now; UNTELLABLE if it will never tell."""

    HERE = "here"
    GONE = "gone"
    UNTELLABLE = "untellable"
    LATER = "later"


class Doubt:
    """What is not known of one full JID since when: in which rooms it is, and how far the asking has come.

    `answers_pings`: it has answered one with a result some time. Then `service-unavailable` means that it is gone; of
    a client that never did, it may just mean that it knows no pings.
    """

    __slots__ = ("answers_pings", "due", "id", "rooms", "since", "times_asked")

    def __init__(self, since: float, answers_pings: bool) -> None:
        self.since, self.answers_pings = since, answers_pings
        self.rooms: list[JID] = []
        self.due = inf
        self.id = ""
        self.times_asked = 0


class _Domain:
    """The sessions in doubt of one remote domain: who is asked when, and when the next one may be."""

    __slots__ = ("free_at", "queue", "sessions")

    def __init__(self) -> None:
        self.free_at = 0.0
        self.queue: list[tuple[float, JID]] = []
        self.sessions: set[JID] = set()

    @property
    def due(self) -> float:
        return max(self.queue[0][0], self.free_at) if self.queue else inf


class Verification:
    """Everybody in doubt in the rooms of one service.

    `jitter` returns a number from 0 to below 1, another one each time; `new_id` an id that nobody can guess.
    `doubts` is empty once everybody is known to be there: whoever looks at each stanza may look there first.
    """

    def __init__(self, new_id: Callable[[], str], jitter: Callable[[], float]) -> None:
        self.doubts: dict[JID, Doubt] = {}
        self._new_id, self._jitter = new_id, jitter
        self._own: dict[JID, float] = {}  # in the order of their times
        self._domains: dict[str, _Domain] = {}

    def doubt(self, session: JID, room: JID, now: float, is_own: bool, answers_pings: bool = False) -> None:
        """From now on nothing is known of a session in a room; `is_own`: it is one of our own accounts.

        That may be said more than once, of each room.
        """
        doubt = self.doubts.get(session)
        if doubt is None:
            doubt = self.doubts[session] = Doubt(now, answers_pings)
            if is_own:
                self._own[session] = now + GRACE_SECONDS
            else:
                self._domains.setdefault(session.domain, _Domain()).sessions.add(session)
                self._ask(session, now + self._quiet_time())
        if room not in doubt.rooms:
            doubt.rooms.append(room)

    def unverified_since(self, session: JID, room: JID) -> float:
        """Since when nothing is known of that session in that room; 0 if it is here."""
        doubt = self.doubts.get(session)
        return doubt.since if doubt is not None and room in doubt.rooms else 0.0

    def is_awaited(self, session: JID) -> bool:
        """Whether it is a session of one of our own accounts that may still come back."""
        return session in self._own

    def heard(self, session: JID) -> list[JID]:
        """It has said something, and so is there, or is known to be gone: returns the rooms where that was in doubt."""
        doubt = self.doubts.pop(session, None)
        if doubt is None:
            return []
        domain = self._domains.get(session.domain)
        if domain is None:
            self._own.pop(session, None)
        else:
            domain.sessions.remove(session)
            if not domain.sessions:
                del self._domains[session.domain]
        return doubt.rooms

    def left(self, session: JID, room: JID) -> None:
        """It is not in that room any more, which says nothing about the others."""
        doubt = self.doubts.get(session)
        if doubt is not None and room in doubt.rooms:
            doubt.rooms.remove(room)
            if not doubt.rooms:
                self.heard(session)

    def wait_longer(self, session: JID, now: float) -> None:
        """A session of ours that was missed is given as much time again."""
        self._own[session] = now + GRACE_SECONDS

    def judge(self, session: JID, answer: Element) -> Verdict | None:
        """What an iq of type result or error from a session says about it; None if it answers no ping of ours.

        With HERE and GONE the doubt is over: then `heard` has the rooms. Source: XEP-0045 §11.1, XEP-0410 §3.2.
        """
        doubt = self.doubts.get(session)
        if doubt is None or not doubt.id or answer.get("id") != doubt.id:
            return None
        if answer.get("type") == "result":
            return Verdict.HERE
        condition = condition_of(answer)
        if condition == "feature-not-implemented":
            return Verdict.HERE  # nobody but a client says that
        if condition in NOBODY_THERE or (condition == "service-unavailable" and doubt.answers_pings):
            return Verdict.GONE
        if condition == "service-unavailable":
            doubt.due = inf  # its server, or a client without pings: asking again would tell no more
            return Verdict.UNTELLABLE
        return Verdict.LATER

    def domain_up(self, name: str, lossless: bool, now: float) -> None:
        """There is a link to that domain again; if nothing was lost with the old one, everybody there is here."""
        domain = self._domains.get(name)
        if domain is None:
            return
        if lossless:
            for session in list(domain.sessions):
                self.heard(session)
            return
        domain.queue.clear()
        for session in domain.sessions:
            if self.doubts[session].due != inf:
                self._ask(session, now + self._quiet_time())

    def _quiet_time(self) -> float:
        return QUIET_SECONDS + self._jitter() * _SPREAD_SECONDS

    def _ask(self, session: JID, due: float) -> None:
        self.doubts[session].due = due
        heappush(self._domains[session.domain].queue, (due, session))

    def next_deadline(self) -> float:
        """When `tick` is to be called next; infinity for never."""
        own = next(iter(self._own.values()), inf)
        return min([own, *[domain.due for domain in self._domains.values()]])

    def tick(self, now: float) -> list[Ping | Missed]:
        """The time has come: whom to ask, and who has not come back."""
        found: list[Ping | Missed] = []
        for session, due in self._own.items():
            if due > now:
                break
            found.append(Missed(session))
        for missed in found:
            del self._own[missed.session]
        for domain in self._domains.values():
            while domain.due <= now:
                due, session = heappop(domain.queue)
                doubt = self.doubts.get(session)
                if doubt is not None and doubt.due == due:
                    domain.free_at = max(domain.free_at, now - _BURST_SECONDS) + 1 / _PER_SECOND
                    found.append(self._ping(session, doubt, now))
        return found

    def _ping(self, session: JID, doubt: Doubt, now: float) -> Ping:
        pause = _PAUSES[min(doubt.times_asked, len(_PAUSES) - 1)]
        doubt.times_asked += 1
        # The same id each time: whoever answers late, answers.
        doubt.id = doubt.id or self._new_id()
        self._ask(session, now + pause * (1 + self._jitter() / 4))
        return Ping(doubt.id, doubt.rooms[0], session)
