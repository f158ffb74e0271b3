"""Sessions of an earlier process, as they were: before anybody can connect (docs/design/0010-durable-sessions.md)."""

import logging
from collections.abc import Callable, Collection, Iterable
from typing import Final

from ..core.presence import priority_of
from ..core.session_log import SavedSession
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.registry import GRACE_SECONDS, Sessions
from ..host.residents import Residents, Spawn
from ..host.sessions import Session
from ..host.stores import HandledStore
from .messages import Messages
from .stream_management import StreamManagement

_log = logging.getLogger(__name__)
_LEAST_SECONDS: Final = 300.0  # what is left of the window, at least: the client could not come while we were away


class SessionRestoring:
    """Makes sessions of what was saved of them; only if `resumes` can their clients have them back.

    Where one can't be resumed, its places in our own rooms are left to those (`muc_verification`): they know who has
    come back under another resource.
    """

    def __init__(
        self,
        accounts: Residents[Account],
        sessions: Sessions,
        stream_management: StreamManagement,
        messages: Messages,
        handled: HandledStore,
        clock: Clock,
        spawn: Spawn,
        resumes: bool,
        room_services: Collection[str],
    ) -> None:
        self._accounts, self._sessions, self._stream_management = accounts, sessions, stream_management
        self._messages, self._handled, self._clock, self._spawn = messages, handled, clock, spawn
        self._resumes, self._room_services = resumes, frozenset(room_services)
        self.on_restored: list[Callable[[Session], None]] = []  #: called with each
        self.resumable = self.others = 0  #: how many sessions were restored

    async def restore(self, found: Iterable[SavedSession]) -> None:
        """All that are worth it. What storage raises comes through."""
        newest = {saved.jid: saved for saved in found}
        restored: list[tuple[Account, Session]] = []
        for saved in newest.values():
            if saved.sm_id or saved.directed or saved.presence is not None:
                account = await self._accounts.fetch(saved.jid.bare)
                if account is not None and not account.is_disabled:
                    restored.append((account, await self._restore(account, saved)))
        for account, session in restored:
            if session.queue_trail is None and session.priority is not None:
                self._sessions.on_grace(account, session)
        for account in {account for account, _ in restored if account.spooled}:
            self._deliver_spool(account)
        if restored:
            _log.info("%d sessions can be resumed, %d others end soon", self.resumable, self.others)

    async def _restore(self, account: Account, saved: SavedSession) -> Session:
        is_resumable = bool(saved.sm_id) and self._resumes
        seconds = self._seconds_left(saved) if is_resumable else GRACE_SECONDS
        session = self._sessions.restore(account, saved.jid.resource, seconds)
        self._fill(session, saved, is_resumable)
        account.listens(session, "carbons" in saved.wants)
        for told in self.on_restored:
            told(session)
        if is_resumable:
            h = await self._handled.handled(saved.sm_id, account.number)
            self._stream_management.restore(session, saved.sm_id, saved.window, h or 0)
            self.resumable += 1
        else:
            self.others += 1
        if session.trail is not None:
            session.trail.told()
            session.trail.lost(saved.away_since)
        return session

    def _fill(self, session: Session, saved: SavedSession, keeps_rooms: bool) -> None:
        if saved.presence is not None:
            session.presence = stanza_from(saved.presence)
            session.priority = priority_of(session.presence)
        for key, jid in saved.directed.items():
            if key == jid:
                session.directed.contacts[key] = None
            elif keeps_rooms or key.domain not in self._room_services:
                session.directed.rooms[key] = jid
        session.wants_roster, session.wants_blocklist = "roster" in saved.wants, "blocklist" in saved.wants
        if saved.sm_id:
            session.restore(saved.outbound, saved.pending)

    def _seconds_left(self, saved: SavedSession) -> float:
        if saved.away_since is None:
            return saved.window
        left = saved.window - max(0.0, self._clock.seconds() - saved.away_since)
        return min(saved.window, max(left, _LEAST_SECONDS))

    def _deliver_spool(self, account: Account) -> None:
        """What waits, and is not on its way to one of the sessions: its last addressee is not there any more."""
        for session in account.available():
            if session.queue_trail is not None and (session.priority or 0) >= 0:
                self._spawn(self._messages.deliver_spool(account, session))
                return
