"""One session's entries in the log of sessions."""

from typing import Any, Protocol

from ..host.sessions import Session
from ..xmpp.element import serialise
from ..xmpp.jid import JID
from ..xmpp.payload import Payload


class Log(Protocol):
    """Where entries go; see `session_log`."""

    def add(self, entry: tuple[Any, ...]) -> None:
        """Notes what need not be on disk before something of it goes out."""

    def note(self, entry: tuple[Any, ...]) -> None:
        """Notes something that must be on disk with the next commit, and soon if there is none."""

    def note_end(self, trail: "SessionTrail") -> None:
        """A session is over as soon as what it has left is kept."""

    def note_queue(self, trail: "SessionTrail") -> None:
        """What is promised to this session is noted from now on."""

    def number_of(self, payload: Payload) -> int:
        """The number of a payload, which is noted when it is needed for the first time."""

    @property
    def now(self) -> float:
        """Unix seconds."""


class SessionTrail:
    """See host.trail.Trail. Of a session that has told nobody anything, nothing is noted."""

    __slots__ = ("_is_begun", "_log", "_session", "_window", "away_since", "jid", "number")

    def __init__(self, log: Log, session: Session, number: int) -> None:
        self._log, self._session, self.number, self.jid = log, session, number, session.jid
        self._window: float | None = None  # if its queue is noted
        self._is_begun = False
        self.away_since: float | None = None  #: when its connection was lost

    def follow(self) -> None:
        """The session is new, but may have taken over the rooms of another."""
        self._session.trail, self._session.directed.changed = self, self._directed
        if len(self._session.directed):
            self._begin()

    def told(self) -> None:
        """See Trail."""
        if self._is_begun:
            self._note_state()
        elif self._session.presence is not None or len(self._session.directed):
            self._begin()

    def managed(self, window: float) -> None:
        """See Trail."""
        self._window = window
        self._log.note_queue(self)
        if self._begin():
            self._note_queue(window)

    def written(self, payload: Payload, to: JID) -> None:
        """See Trail."""
        log = self._log
        log.add(("o", self.number, log.number_of(payload), None if to == self.jid else to))

    def waits(self, payload: Payload, to: JID, is_away: bool) -> None:
        """See Trail."""
        log = self._log
        log.add(("w", self.number, log.number_of(payload), None if to == self.jid else to, int(is_away)))

    def drained(self) -> None:
        """See Trail."""
        self._log.add(("q", self.number))

    def thinned(self, everything: bool) -> None:
        """See Trail."""
        self._log.add(("x", self.number, int(everything)))

    def acked(self, h: int) -> None:
        """See Trail."""
        self._log.add(("a", self.number, h))

    def lost(self, since: float | None = None) -> None:
        """See Trail."""
        self.away_since = self._log.now if since is None else since
        if self._is_begun:
            self._log.note(("l", self.number, self.away_since))

    def found(self) -> None:
        """See Trail."""
        self.away_since = None
        if self._is_begun:
            self._log.note(("f", self.number))

    def ended(self) -> None:
        """See Trail."""
        if self._is_begun:
            self._log.note_end(self)

    def note_all(self) -> None:
        """Everything about the session, for a file that has nothing of it yet."""
        if not self._is_begun:
            return
        self._log.note(("+", self.number, self.jid))
        self._note_state()
        for room, occupant in self._session.directed.rooms.items():
            self._directed(room, occupant)
        for contact in self._session.directed.contacts:
            self._directed(contact, contact)
        if self._window is not None:
            self._note_queue(self._window)
        if self.away_since is not None:
            self._log.note(("l", self.number, self.away_since))

    def _begin(self) -> bool:
        """False if it has just begun, so that everything is noted."""
        if self._is_begun:
            return True
        self._is_begun = True
        self.note_all()
        return False

    def _directed(self, key: JID, now: JID | None) -> None:
        if self._is_begun:
            self._log.note(("d", self.number, key, now))
        elif now is not None:
            self._begin()

    def _note_state(self) -> None:
        session = self._session
        presence = None if session.presence is None else serialise(session.presence)
        wanted = {
            "roster": session.wants_roster,
            "blocklist": session.wants_blocklist,
            "carbons": session.wants_carbons,
        }
        self._log.note(("s", self.number, presence, [name for name, is_wanted in wanted.items() if is_wanted]))

    def _note_queue(self, window: float) -> None:
        session, outbound = self._session, self._session.outbound
        if outbound is None:
            return
        self._log.note(("m", self.number, session.sm_id, window, outbound.acked_h))
        for payload, to in outbound.unacked():
            self.written(payload, to)
        for payload, to in session.pending:
            self.waits(payload, to, is_away=False)
