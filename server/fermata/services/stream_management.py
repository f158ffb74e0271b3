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
RESUME_SECONDS: Final = 600  #: how long a session without a connection can be resumed
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
    ) -> None:
        self._sessions, self._writer, self._handled = sessions, writer, handled
        self._clock, self._spawn, self._new_id = clock, spawn, new_id
        self._managed: dict[str, Session] = {}
        self._windows: dict[str, float] = {}
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
            if session.outbound is not None and (spooled := session.outbound.acked(_h(nonza))):
                session.arrived(session, spooled)
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
            spooled = session.outbound.acked(h)
            again = session.outbound.resume(h)
        except StreamError as error:
            link.end(error)
            return
        if spooled:
            session.arrived(session, spooled)
        self._sessions.found(session, link)
        done(session)
        if session.link is not link:
            return  # it has gone already
        link.write(f"<resumed xmlns='{ns.SM}' previd='{session.sm_id}' h='{handled}'/>")
        for payload, to in again:
            link.write(payload.addressed(to))
        session.drain()

    def _enable(self, session: Session, link: Link, request: Element) -> None:
        session.inbound, session.outbound = Inbound(), Outbound()
        session.attend, session.sm_id = self._attend, self._new_id()
        attributes = ""
        if request.get("resume") in ("true", "1"):
            session.counted = self._counted
            self._managed[session.sm_id] = session
            self._windows[session.sm_id] = window = _window(request)
            attributes = f" id='{session.sm_id}' resume='true' max='{window}'"
        link.write(f"<enabled xmlns='{ns.SM}'{attributes}/>")

    def _acknowledge(self, session: Session) -> None:
        if session.inbound is not None and session.link is not None:
            session.link.write(f"<a xmlns='{ns.SM}' h='{session.inbound.advance(self._writer.durable)}'/>")

    def _attend(self, session: Session) -> None:
        if session.outbound is None or session.link is None:
            return
        due = session.outbound.tick(self._clock.seconds())
        if due is Due.REQUEST:
            session.link.write(f"<r xmlns='{ns.SM}'/>")
        elif due is Due.SILENT:
            session.link.end(StreamError("connection-timeout"))
        elif due is Due.FULL:
            session.overflowed(session)

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


def _window(request: Element) -> int:
    """For how many seconds the session can be resumed: as long as we allow, or less if the client wants less (§3)."""
    text = request.get("max", "")
    wanted = int(text) if text.isascii() and text.isdecimal() else 0
    return min(RESUME_SECONDS, wanted or RESUME_SECONDS)


def _h(nonza: Element) -> int:
    try:
        return int(nonza.get("h", ""))
    except ValueError:
        raise StreamError("bad-format", "h is a number") from None
