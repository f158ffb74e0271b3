"""Stream management of client sessions (XEP-0198): enabling, acknowledging, resuming, hibernating.

The counting is `core.stream_management`; here it meets sessions, time and storage. An `<a/>` counts only what is
durable, and itself on disk where the session can be resumed: else a client could be told less after a crash than
before, and the two would count differently from then on. The answer to `<r/>` goes through the session's release queue.
"""

import logging
from collections.abc import Callable
from typing import Final

from ..core.c2s_stream import failed
from ..core.records import HandledExpired, HandledSaved, Record, Step
from ..core.stream_management import Due, Inbound, Outbound
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.registry import Sessions
from ..host.residents import Spawn
from ..host.sessions import Link, Session
from ..host.stores import HandledStore, Writer
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StreamError

_log = logging.getLogger(__name__)
_SWEEP_SECONDS: Final = 1.0
_REMEMBERED_SECONDS: Final = 7 * 86_400.0
_FORGET_SECONDS: Final = 3_600.0


class StreamManagement:
    """All sessions that have enabled stream management, by their SM-ID."""

    def __init__(
        self,
        sessions: Sessions,
        writer: Writer,
        handled: HandledStore,
        clock: Clock,
        spawn: Spawn,
        new_id: Callable[[], str],
        resume_seconds: int,
    ) -> None:
        """`resume_seconds`: how long a session without a connection can be resumed."""
        self._sessions, self._writer, self._handled = sessions, writer, handled
        self._clock, self._spawn, self._new_id = clock, spawn, new_id
        self._managed: dict[str, Session] = {}
        self._windows: dict[str, float] = {}
        self._resume_seconds = resume_seconds
        self._uncertain: set[Session] = set()  # of which an earlier process may have written more than is known
        self._touched: set[Session] = set()

    def start(self) -> None:
        """Begins to look after connections that have gone silent, and after what is remembered of sessions."""
        self._clock.callLater(_SWEEP_SECONDS, self._sweep)
        self._clock.callLater(_FORGET_SECONDS, self._forget)

    def take(self, session: Session, nonza: Element) -> None:
        """An element of stream management from a bound client. Raises StreamError."""
        name = nonza.tag.rpartition("}")[2]
        link = session.link
        if name == "r":
            session.emit(self._all_counted(session), None, self._acknowledge, session)
        elif name == "a":
            if session.outbound is not None:
                self._acked(session, session.outbound.acked(_h(nonza)))
                session.drain()
        elif name == "enable" and session.inbound is None and link is not None:
            self._enable(session, link, nonza)
        elif link is not None:
            link.write(failed("unexpected-request"))

    def window(self, session: Session) -> float | None:
        """How many seconds the session may stay without a connection; None if it cannot be resumed."""
        return self._windows.get(session.sm_id)

    def lost(self, session: Session) -> None:
        """The session's connection is gone."""
        if session.outbound is not None:
            session.outbound.hibernate()

    def ended(self, session: Session) -> None:
        """The session is over."""
        # How far it got stays in storage, so that a client which comes too late can be told (§5).
        self._managed.pop(session.sm_id, None)
        self._windows.pop(session.sm_id, None)
        self._uncertain.discard(session)

    def restore(self, session: Session, sm_id: str, window: float, h: int) -> None:
        """The session, and its queue, is that of an earlier process, and can be resumed; we had handled `h`."""
        session.inbound, session.sm_id = Inbound(h), sm_id
        session.attend, session.counted = self._attend, self._counted
        self._managed[sm_id], self._windows[sm_id] = session, window
        self._uncertain.add(session)
        self._note_queue(session, window)

    def last_words(self, session: Session) -> str | None:
        """What is left to be said to the client of a session that can be resumed after our end; else None."""
        if session.inbound is None or session.queue_trail is None:
            return None
        return acknowledgement(session.inbound.advance(self._writer.durable))

    def say_goodbye(self, session: Session, finish: Callable[[], None]) -> None:
        """The client has closed its stream: calls `finish` once all that it sent is counted, and it knows (§6)."""
        session.when_dealt_with(
            lambda: session.emit(self._all_counted(session), None, self._acknowledge_last, session, finish)
        )

    def _acknowledge_last(self, session: Session, finish: Callable[[], None]) -> None:
        self._acknowledge(session)
        finish()

    def resume(self, account: Account, previd: str, h: int, link: Link, done: Callable[[Session | None], None]) -> None:
        """Moves a session to a new connection (§5); `done` is told which, or None after `<failed/>` was written."""
        session = self._managed.get(previd)
        if session is None or session.owner is not account:
            self._spawn(self._refuse(account, previd, link, done))
            return
        self._move_later(session, h, link, done)

    async def _refuse(self, account: Account, previd: str, link: Link, done: Callable[[Session | None], None]) -> None:
        try:
            h = await self._handled.handled(previd, account.number)
        except Exception:
            _log.exception("how far a session got could not be read")
            h = None
        link.write(failed("item-not-found", h))
        done(None)

    def _move_later(self, session: Session, h: int, link: Link, done: Callable[[Session | None], None]) -> None:
        """What the old connection brought in must be counted before the client is told how far we got.

        Else it would send again what is dealt with all the same.
        """
        session.when_dealt_with(
            lambda: session.emit(self._all_counted(session), None, self._move, session, h, link, done)
        )

    def _move(self, session: Session, h: int, link: Link, done: Callable[[Session | None], None]) -> None:
        if session.is_over or session.outbound is None or session.inbound is None:
            link.write(failed("item-not-found"))
            done(None)
            return
        handled = session.inbound.advance(self._writer.durable)
        if not session.inbound.is_settled:
            self._move_later(session, h, link, done)  # the old connection has brought in more
            return
        try:
            self._acked(session, self._told(session, session.outbound, h))
            again = session.outbound.resume(h)
        except StreamError as error:
            link.end(error)
            return
        self._sessions.found(session, link)
        done(session)
        if session.link is not link:
            return  # it has gone already
        link.write(f"<resumed xmlns='{ns.SM}' previd='{session.sm_id}' h='{handled}'/>")
        for payload, to in again:
            link.write(payload.addressed(to))
        session.drain()

    def _told(self, session: Session, outbound: Outbound, h: int) -> list[int]:
        if session not in self._uncertain:
            return outbound.acked(h)
        spooled = outbound.adopt(h)
        self._uncertain.discard(session)
        if not outbound.unacked_count and session.queue_trail is not None:
            session.queue_trail.managed(self._windows[session.sm_id])  # it may be ahead of what was noted
        return spooled

    def _acked(self, session: Session, spooled: list[int]) -> None:
        """The client has told how far it got, and these had waited in the spool until then."""
        if session.queue_trail is not None and session.outbound is not None:
            session.queue_trail.acked(session.outbound.acked_h)
        if spooled:
            session.arrived(session, spooled)

    def _note_queue(self, session: Session, window: float) -> None:
        if session.trail is not None:
            session.queue_trail = session.trail
            session.trail.managed(window)

    def _enable(self, session: Session, link: Link, request: Element) -> None:
        session.inbound, session.outbound = Inbound(), Outbound()
        session.attend, session.sm_id = self._attend, self._new_id()
        attributes = ""
        if request.get("resume") in ("true", "1"):
            session.counted = self._counted
            self._managed[session.sm_id] = session
            self._windows[session.sm_id] = window = _window(request, self._resume_seconds)
            self._note_queue(session, window)
            attributes = f" id='{session.sm_id}' resume='true' max='{window}'"
        link.write(f"<enabled xmlns='{ns.SM}'{attributes}/>")

    def _acknowledge(self, session: Session) -> None:
        if session.inbound is not None and session.link is not None:
            session.link.write(acknowledgement(session.inbound.advance(self._writer.durable)))

    def _attend(self, session: Session) -> None:
        if session.outbound is None or session.link is None:
            return
        due = session.outbound.tick(self._clock.seconds())
        if due is Due.REQUEST:
            session.link.write(f"<r xmlns='{ns.SM}'/>")
        elif due is Due.SILENT:
            session.link.end(StreamError("connection-timeout"))

    def _forget(self) -> None:
        """Nobody asks after so long how far a session got (§5)."""
        self._writer.submit(Step([HandledExpired(self._clock.seconds() - _REMEMBERED_SECONDS)]))
        self._clock.callLater(_FORGET_SECONDS, self._forget)

    def _sweep(self) -> None:
        now = self._clock.seconds()
        for session in self._sessions:
            outbound = session.outbound
            if outbound is not None and session.link is not None:
                deadline = outbound.next_deadline()
                if deadline is not None and deadline <= now:
                    self._attend(session)
        self._clock.callLater(_SWEEP_SECONDS, self._sweep)

    def _counted(self, session: Session) -> int:
        if not self._touched:
            self._writer.before_commit(self._gather)
        self._touched.add(session)
        return self._writer.next_ticket

    def _all_counted(self, session: Session) -> int:
        """The batch with which `h` will be on disk; it comes now, even if there is nothing else to keep."""
        return self._writer.submit(Step([])) if session in self._touched else self._writer.ticket

    def _gather(self) -> Step | None:
        """The `h` of every session that got further: in the same transaction as what it counts."""
        now = self._clock.seconds()
        records: list[Record] = [
            HandledSaved(session.sm_id, session.owner.number, session.inbound.finished, now)
            for session in self._touched
            if session.inbound is not None
        ]
        self._touched.clear()
        return Step(records)


def acknowledgement(h: int) -> str:
    """The element that tells the client how many of its stanzas are safe (§4)."""
    return f"<a xmlns='{ns.SM}' h='{h}'/>"


def _window(request: Element, most: int) -> int:
    """For how many seconds the session can be resumed: as long as we allow, or less if the client wants less (§3)."""
    text = request.get("max", "")
    wanted = int(text) if text.isascii() and text.isdecimal() else 0
    return min(most, wanted or most)


def _h(nonza: Element) -> int:
    try:
        return int(nonza.get("h", ""))
    except ValueError:
        raise StreamError("bad-format", "h is a number") from None
