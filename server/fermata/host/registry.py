"""Which sessions there are: binding, losing the connection, ending."""

import math
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID, JIDError
from .accounts import Account
from .origin import Clock, Timer
from .pipeline import FromClient
from .sessions import Link, QueueLimits, Session
from .stores import Writer

GRACE_SECONDS: Final = 30.0  #: how long a lost connection without stream management is waited for
RESERVED: Final = "~stay."  #: resources that begin so are the server's own: it stands in rooms with them


class Limits(NamedTuple):
    """How many sessions an account may have, and how much may wait for each."""

    per_account: float
    queue: QueueLimits


class Sessions:
    """All sessions by full JID.

    `on_grace(account, session)` is called when the connection of one that cannot be resumed is lost.
    `on_arrival(session, spooled)` is called when messages that waited in the account's spool have arrived.
    `on_refusal(session, error)` is called when something that one has sent was answered with an error.
    `on_bind(session)` is called when there is a new one.
    `on_end(account, session, keeps_rooms)` is called when one has ended: with `keeps_rooms`, its rooms are not to be
    told, because the account is still in them.
    """

    def __init__(
        self, clock: Clock, from_client: FromClient, writer: Writer, new_id: Callable[[], str], limits: Limits
    ) -> None:
        self._clock, self._from_client, self._writer, self._new_id = clock, from_client, writer, new_id
        self._limits = limits
        self._all: dict[JID, Session] = {}
        self._accounts: dict[JID, Account] = {}
        self._expiries: dict[JID, Timer] = {}
        self._is_frozen = False
        self.get = self._all.get  #: the session with that full JID, or None
        self.on_bind: Callable[[Session], None] = _ignore
        self.on_grace: Callable[[Account, Session], None]
        self.on_arrival: Callable[[Session, list[int]], None]
        self.on_refusal: Callable[[Session, Element], None]
        self.on_end: Callable[[Account, Session, bool], None]

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def account_of(self, session: Session) -> Account:
        """Whose session it is."""
        return self._accounts[session.jid]

    def bind(self, account: Account, resource: str, link: Link) -> Session:
        """A new session (RFC 6120 §7); an older one with the same resource makes way for it, and leaves it its rooms.

        Raises StanzaError: `bad-request` for what can be no resource, `not-allowed` for one of the server's own,
        `resource-constraint` for too many sessions.
        """
        try:
            jid = account.jid.with_resource(resource or self._new_id())
        except JIDError:
            raise StanzaError("bad-request", "that can be no resource") from None
        if jid.resource.startswith(RESERVED):
            raise StanzaError("not-allowed", "that resource is the server's own")
        older = account.sessions.get(jid.resource)
        if older is None:
            self._make_room(account)
        session = self._made(jid, account)
        if older is not None:
            session.directed = older.directed
            self.end(older, keeps_rooms=True, error=StreamError("conflict", "another client has this resource now"))
        session.link = link
        self._add(account, session)
        return session

    def restore(self, account: Account, resource: str, seconds: float) -> Session:
        """A session that an earlier process had: without a connection, and over in so many seconds."""
        session = self._made(account.jid.with_resource(resource), account)
        self._add(account, session)
        self._expire_in(session, seconds)
        return session

    def until(self, jid: JID) -> float | None:
        """When the session with that full JID will end unless its client comes back (Unix seconds).

        `math.inf` while the client is connected; None if there is no such session.
        """
        session = self._all.get(jid)
        if session is None:
            return None
        timer = self._expiries.get(jid)
        return math.inf if timer is None else timer.getTime()

    def freeze(self) -> None:
        """The process is about to end: that ends no session."""
        self._is_frozen = True

    def _made(self, jid: JID, account: Account) -> Session:
        session = Session(jid, account, self._from_client, self._writer, self._new_id, self._limits.queue)
        session.overflowed, session.arrived, session.refused = self._overflowed, self.on_arrival, self.on_refusal
        return session

    def _add(self, account: Account, session: Session) -> None:
        account.sessions[session.resource] = session
        self._all[session.jid], self._accounts[session.jid] = session, account
        self.on_bind(session)

    def _expire_in(self, session: Session, seconds: float) -> None:
        self._expiries[session.jid] = self._clock.callLater(seconds, self._expired, session)

    def _make_room(self, account: Account) -> None:
        """Too many sessions: the one that has waited longest for its client to come back has waited long enough."""
        if len(account.sessions) < self._limits.per_account:
            return
        waiting = next((session for session in account.sessions.values() if session.link is None), None)
        if waiting is None:
            raise StanzaError("resource-constraint", "too many sessions")
        self.end(waiting)

    def lost(self, session: Session, link: Link, window: float | None) -> None:
        """The connection is gone but the client has not said goodbye; the session waits `window` seconds for it.

        None: it cannot be resumed, so it is not there any more for anybody but its rooms, for a while.
        """
        if session.link is not link or session.is_over or self._is_frozen:
            return
        session.link = None
        if session.trail is not None:
            session.trail.lost()
        self._expire_in(session, window or GRACE_SECONDS)
        if window is None:
            self.on_grace(self._accounts[session.jid], session)

    def found(self, session: Session, link: Link) -> None:
        """The session has a connection again; an older one is told that it is replaced (XEP-0198 §5)."""
        older, session.link = session.link, link
        if older is not None:
            older.end(StreamError("conflict", "the session was resumed elsewhere"))
        if session.trail is not None:
            session.trail.found()
        self._forget_expiry(session)

    def end(self, session: Session, keeps_rooms: bool = False, error: StreamError | None = None) -> None:
        """The session is over: nobody can resume it, and nothing more is delivered to it."""
        if session.is_over or self._is_frozen:
            return
        del self._all[session.jid]
        account = self._accounts.pop(session.jid)
        del account.sessions[session.resource]
        if session.wants_carbons:
            account.listens(session, False)
        self._forget_expiry(session)
        session.is_over = True
        link, session.link = session.link, None
        if link is not None:
            link.end(error)
        self.on_end(account, session, keeps_rooms)
        if session.trail is not None:
            session.trail.ended()

    def _expired(self, session: Session) -> None:
        """Invariant 1: without stream management, exits are dropped if the account is back by then."""
        del self._expiries[session.jid]
        account = self.account_of(session)
        is_back = session.inbound is None and any(other.link is not None for other in account.sessions.values())
        self.end(session, keeps_rooms=is_back)

    def _forget_expiry(self, session: Session) -> None:
        timer = self._expiries.pop(session.jid, None)
        if timer is not None:
            timer.cancel()

    def _overflowed(self, session: Session) -> None:
        """A reader that does not read: it loses the connection and, without stream management, the session."""
        link = session.link
        if session.inbound is None or link is None:
            self.end(session, error=StreamError("resource-constraint", "you do not read what you are sent"))
        else:
            link.end(StreamError("resource-constraint", "you do not read what you are sent"))


def _ignore(session: Session) -> None:
    """Nobody wants to know."""
