"""How accounts look in the rooms in which they stand: what the server adds to their presence (XEP-0398)."""

from collections.abc import Callable, Sequence

from ..core.standin import availability
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.sessions import Session
from ..xmpp.element import Element, serialise
from .bookmarks import BookmarkChange
from .standin_acts import Performer
from .standin_ledger import Ledger


class StandInLooks:
    """Tells rooms when it is another one. `stamps` add it to a presence."""

    def __init__(
        self, ledger: Ledger, performer: Performer, stamps: Sequence[Callable[[Account, Element], None]], clock: Clock
    ) -> None:
        self._ledger, self._performer, self._stamps, self._clock = ledger, performer, stamps, clock

    def broadcast(self, account: Account, session: Session, is_new: bool) -> None:
        """A session is available."""
        self.look(account)

    def bookmarked(self, account: Account, change: BookmarkChange) -> None:
        """The account may stand in its first room because of this."""
        self.look(account)

    def look(self, account: Account) -> None:
        """Looks whether an account has another avatar now, or none."""
        holder = self._ledger.holders.get(account.jid)
        if holder is None:
            return
        presence = Element("presence")
        self._stamp(account, presence)
        if not holder.add(serialise(presence) if len(presence) else ""):
            return
        now = self._clock.seconds()
        self._ledger.save_holder(holder)
        for stand_in in list(holder.rooms.values()):
            for seat in stand_in.state.attached.values():
                self._stamp(account, seat.presence)
            availability.changes(stand_in.state, now)
            self._performer.perform(holder, stand_in, ())

    def _stamp(self, account: Account, presence: Element) -> None:
        for stamp in self._stamps:
            stamp(account, presence)
