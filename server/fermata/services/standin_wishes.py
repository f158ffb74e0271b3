"""Whose wish counts: bookmarks, the account's own decision, and who has not been seen for very long."""

from collections.abc import Mapping
from typing import Final

from ..core.pubsub.bookmarks import Bookmark
from ..core.standin.stanzas import DIRECT
from ..core.standin.state import Wish
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.residents import Residents, Spawn
from ..host.sessions import Session
from ..xmpp.element import child
from ..xmpp.jid import JID
from .bookmarks import BookmarkChange, Bookmarks
from .standin_ledger import Holder, Ledger
from .standins import StandIns

MODES: Final = ("bookmarked", "all", "off")
_OFF: Final = "off"
_DAY: Final = 86_400.0
_SWEEP_SECONDS: Final = 60.0


class StandInWishes:
    """Tells stand-ins what is wished. `abandoned_days`: an account that was away for longer leaves; 0 is never.

    What was said before an account came is forgotten after `retention_days`, as in archives; 0 is never.
    """

    def __init__(
        self,
        stand_ins: StandIns,
        ledger: Ledger,
        bookmarks: Bookmarks,
        accounts: Residents[Account],
        clock: Clock,
        spawn: Spawn,
        abandoned_days: int,
        retention_days: int,
    ) -> None:
        self._stand_ins, self._ledger, self._bookmarks = stand_ins, ledger, bookmarks
        self._accounts, self._clock, self._spawn = accounts, clock, spawn
        self._abandoned, self._retention = abandoned_days * _DAY, retention_days * _DAY
        self._read: set[JID] = set()  # accounts whose bookmarks were compared with what is known
        bookmarks.on_change.append(self._changed)
        clock.callLater(_SWEEP_SECONDS, self._sweep)

    def broadcast(self, account: Account, session: Session, is_new: bool) -> None:
        """A session is available: what was bookmarked while nobody listened is done now."""
        if account.jid not in self._read and self._stand_ins.mode_of(account.jid) != _OFF:
            self._read.add(account.jid)
            self._spawn(self._compare(account))

    def _changed(self, account: Account, change: BookmarkChange) -> None:
        if self._stand_ins.mode_of(account.jid) != _OFF:
            wish = _wish(account, change.bookmark)
            self._stand_ins.wish(account, change.room, wish, is_news=True, grace=change.grace)

    async def _compare(self, account: Account) -> None:
        self._wish_all(account, await self._bookmarks.of(account))

    def _wish_all(self, account: Account, found: Mapping[JID, Bookmark]) -> None:
        holder = self._ledger.holders.get(account.jid)
        known = {} if holder is None else holder.rooms
        for room in [room for room in known if room not in found]:
            if known[room].state.wish is not None:
                self._stand_ins.wish(account, room, None, is_news=False)
        for room, bookmark in found.items():
            self._stand_ins.wish(account, room, _wish(account, bookmark), is_news=False)

    async def set_mode(self, account: Account, mode: str) -> None:
        """The account decides for itself: one of MODES."""
        holder = self._ledger.holder(account.number, account.jid)
        before, holder.mode = self._stand_ins.mode_of(account.jid), mode
        self._ledger.save_holder(holder)
        if mode == _OFF:
            self.leave_all(holder)
        elif before == _OFF:
            await self._compare(account)

    async def set_alone(self, account: Account, rooms: frozenset[JID]) -> None:
        """The account leaves these rooms to its clients, and no others."""
        holder = self._ledger.holder(account.number, account.jid)
        before, holder.alone = holder.alone, rooms
        self._ledger.save_holder(holder)
        for room in rooms - before:
            self._stand_ins.leave(holder, room)
        if before - rooms and self._stand_ins.mode_of(account.jid) != _OFF:
            await self._compare(account)

    def leave_all(self, holder: Holder) -> None:
        """An account leaves all rooms in which it stands."""
        for room in list(holder.rooms):
            self._stand_ins.leave(holder, room)

    async def removed(self, jid: JID) -> None:
        """An account is about to be removed."""
        holder = self._ledger.holders.get(jid)
        if holder is not None:
            self.leave_all(holder)
            self._ledger.drop(jid)
        self._read.discard(jid)

    def disabled(self, jid: JID) -> None:
        """Nobody can log in to an account any more; its bookmarks are read again when somebody can."""
        holder = self._ledger.holders.get(jid)
        if holder is not None:
            self.leave_all(holder)
        self._read.discard(jid)

    def _sweep(self) -> None:
        now = self._clock.seconds()
        for holder in list(self._ledger.holders.values()):
            account = self._accounts.get(holder.jid)
            is_online = account is not None and bool(account.sessions)
            if self._abandoned and holder.seen and not is_online and now - holder.seen > self._abandoned:
                self.leave_all(holder)
                self._read.discard(holder.jid)
            self._stand_ins.come(holder)
            for stand_in in list(holder.rooms.values()) if self._retention else ():
                if now - stand_in.state.before > self._retention:
                    self._ledger.drop_before(holder, stand_in)
        self._clock.callLater(_SWEEP_SECONDS, self._sweep)


def _wish(account: Account, bookmark: Bookmark | None) -> Wish | None:
    """What a bookmark wishes; one whose extensions say so is for clients alone."""
    if bookmark is None or not bookmark.autojoin:
        return None
    if bookmark.extensions is not None and child(bookmark.extensions, DIRECT) is not None:
        return None
    return Wish(bookmark.nick or account.jid.local, bookmark.password)
