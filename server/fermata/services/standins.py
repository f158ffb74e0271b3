"""Accounts in rooms: where clients, rooms and time meet the stand-ins (docs/design/0006)."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from ..core.guardian.guardian import Place
from ..core.standin.acts import Save
from ..core.standin.standin import StandIn
from ..core.standin.stanzas import DIRECT, MUC, REJOIN, is_call
from ..core.standin.state import Beside, Standing, Wish
from ..host.accounts import Account
from ..host.origin import Clock, Origin
from ..host.pipeline import guarded
from ..host.registry import Sessions
from ..host.residents import Residents
from ..host.router import Router
from ..host.sessions import Session
from ..xmpp.element import Element, child
from ..xmpp.jid import JID
from .standin_acts import Performer, is_there
from .standin_guard import Guard
from .standin_ledger import Holder, Ledger
from .standin_origin import Behalf

_WITHOUT_SESSION_SECONDS: Final = 60.0  #: after a start, for which clients are waited for that may come back
_OFF, _ALL = "off", "all"


class StandInFigures(NamedTuple):
    """An account in a room, as an administrator sees it; `clients` are resources."""

    room: JID
    nick: str
    state: str
    why: str
    bookmarked: bool
    clients: list[str]


class StandIns:
    """All of them. `mode` is the server's default: "bookmarked", "all" or "off"; `most` rooms for each account."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Residents[Account],
        sessions: Sessions,
        router: Router,
        relayed: Origin,
        clock: Clock,
        mode: str,
        most: float,
    ) -> None:
        self._ledger, self._accounts, self._sessions = ledger, accounts, sessions
        self._router, self._relayed, self._clock = router, relayed, clock
        self._mode, self._most = mode, most
        self.performer: Performer
        self.guard: Guard
        #: what the server adds to the presence of sessions, see Presences
        self.stamps: Sequence[Callable[[Account, Element], None]] = ()

    # -- what is known

    def holder(self, jid: JID) -> Holder | None:
        """An account that stands in rooms, or has decided whether it does (bare JID)."""
        return self._ledger.holders.get(jid)

    def __iter__(self) -> Iterator[Holder]:
        return iter(list(self._ledger.holders.values()))

    def mode_of(self, jid: JID) -> str:
        """How an account enters rooms: what it has decided itself, or the server's default."""
        holder = self._ledger.holders.get(jid)
        return holder.mode if holder is not None and holder.mode else self._mode

    def figures(self, jid: JID) -> list[StandInFigures]:
        """The rooms of an account, by JID."""
        holder = self._ledger.holders.get(jid)
        return [] if holder is None else [_figures(holder.rooms[room]) for room in sorted(holder.rooms)]

    def begin(self, unsettled: Container[JID]) -> None:
        """What the process before this one has left was taken up.

        In the rooms here that are not among the unsettled, nothing was said just before it ended: nobody has missed
        anything in those.
        """
        for holder in self:
            for room, stand_in in holder.rooms.items():
                s, place = stand_in.state, Place(holder.me, room)
                if room not in unsettled and self._router.serves(room.domain):
                    s.repair = None
                if self.mode_of(holder.jid) == _OFF:
                    continue  # it is left as soon as that can be said
                if s.standing is Standing.IN:
                    self.guard.watch(place, s.here, is_sure=False)
                elif s.standing in (Standing.ENTERING, Standing.FALLEN):
                    s.standing = Standing.FALLEN
                    self.guard.fallen(place, s.nick, 0.0)
        self._clock.callLater(_WITHOUT_SESSION_SECONDS, self._let_go)

    def _let_go(self) -> None:
        """Clients that were attached when the process before this one ended, and that are not there any more."""
        now = self._clock.seconds()
        for holder in self:
            if self.mode_of(holder.jid) == _OFF:
                for room in list(holder.rooms):
                    self.leave(holder, room)
            for stand_in in list(holder.rooms.values()):
                for client in stand_in.state.clients:
                    if self._sessions.get(client) is None:
                        self.performer.perform(holder, stand_in, stand_in.gone(client, now))
                self.performer.perform(holder, stand_in, stand_in.wished(stand_in.state.wish, now, is_news=False))

    # -- from clients

    def entering(self, account: Account, session: Session, stanza: Element, to: JID) -> bool:
        """A session sends directed presence: True if that enters a room in which the account stands for it."""
        holder = self._ledger.holders.get(account.jid)
        stand_in = None if holder is None else holder.rooms.get(to.bare)
        if holder is not None and stand_in is not None and session.jid in stand_in.state.beside:
            acts = stand_in.sent(session.jid, stanza, to, self._clock.seconds())
            self.performer.perform(holder, stand_in, acts)
            return False
        is_back = child(stanza, MUC) is None
        if stanza.get("type") is not None or (is_back and child(stanza, REJOIN) is None) or not to.local:
            return False
        if child(stanza, DIRECT) is not None or is_call(stanza):
            return False
        mode = self.mode_of(account.jid)
        is_in = stand_in is not None and stand_in.state.standing not in (Standing.OUT, Standing.REMOVED)
        if holder is not None and to.bare in holder.alone:
            return False
        if mode == _OFF or to.bare in session.directed.rooms or (not is_in and is_there(account, to.bare)):
            return False
        if stand_in is None or (is_back and not is_in):
            if is_back or mode != _ALL or (holder is not None and len(holder.rooms) >= self._most):
                return False
            holder = self._ledger.holder(account.number, account.jid)
            stand_in = self._ledger.stand_in(holder, to.bare)
        assert holder is not None
        if mode == _ALL:
            stand_in.state.keeps = True
        stand_in.state.is_archived = self.performer.archives(account, to.bare)
        settled = session.hold()
        self.performer.recalled(holder, partial(self._enter, holder, stand_in, session, stanza, to, settled))
        return True

    def _enter(
        self, holder: Holder, stand_in: StandIn, session: Session, stanza: Element, to: JID, settled: Callable[[], None]
    ) -> None:
        def enter() -> None:
            acts = stand_in.enter(session.jid, stanza, to, self._clock.seconds())
            self.performer.perform(holder, stand_in, acts, Behalf(session, self._relayed))

        guarded(stanza, session.jid, session, enter)
        settled()

    def take(self, session: Session, stanza: Element, to: JID) -> None:
        """What an attached session sends to the room or somebody in it. Raises StanzaError."""
        found = self._ledger.find(session.jid.bare, to.bare)
        if found is None:
            session.attached.pop(to.bare, None)
            self._router.route(stanza, to, session.jid, session)
            return
        holder, stand_in = found
        account = self._accounts.get(holder.jid)
        if account is not None and stanza.tag == "presence" and not stanza.get("type"):
            for stamp in self.stamps:
                stamp(account, stanza)
        acts = stand_in.sent(session.jid, stanza, to, self._clock.seconds())
        self.performer.perform(holder, stand_in, acts, Behalf(session, self._relayed))

    def withdrawn(self, account: Account, session: Session) -> None:
        """A session is not available any more, or is over: for its rooms, that is no leaving."""
        holder, now = self._ledger.holders.get(account.jid), self._clock.seconds()
        if holder is not None:
            for room, stand_in in list(holder.rooms.items()):
                if room in session.attached or session.jid in stand_in.state.beside:
                    self.performer.perform(holder, stand_in, stand_in.gone(session.jid, now))

    def ended(self, account: Account, session: Session) -> None:
        """A session is over. The rooms in which it was itself may now be entered by the account."""
        self.withdrawn(account, session)
        holder = self._ledger.holders.get(account.jid)
        if holder is not None:
            holder.seen = self._clock.seconds()
            self._ledger.save_holder(holder)
            self.come(holder)

    def restored(self, session: Session) -> None:
        """A session of the process before this one is here again, with the rooms that it was attached to."""
        holder = self._ledger.holders.get(session.jid.bare)
        for room, stand_in in holder.rooms.items() if holder is not None else ():
            if session.jid in stand_in.state.attached:
                session.attached[room] = self.take
            elif room in session.directed.rooms:
                stand_in.state.beside[session.jid] = _presence(session)

    # -- what is wished

    def wish(self, account: Account, room: JID, wish: Wish | None, is_news: bool, grace: float = 0.0) -> None:
        """An account wants to be in a room, or does not; `is_news`: it has just said so."""
        holder = self._ledger.holders.get(account.jid)
        if wish is None:
            stand_in = None if holder is None else holder.rooms.get(room)
            if holder is None or stand_in is None:
                return
        else:
            holder = self._ledger.holder(account.number, account.jid)
            if room in holder.alone or (room not in holder.rooms and len(holder.rooms) >= self._most):
                return
            stand_in = self._ledger.stand_in(holder, room)
        acts = stand_in.wished(wish, self._clock.seconds(), is_news, grace)
        self.performer.perform(holder, stand_in, acts)
        self.come(holder)

    def come(self, holder: Holder) -> None:
        """Enters where that is wished, beside clients of the account that are there by themselves."""
        account = self._accounts.get(holder.jid)
        for room, stand_in in list(holder.rooms.items()):
            if stand_in.state.standing is Standing.OUT:
                beside = [] if account is None else _beside(account, room)
                self.performer.perform(holder, stand_in, stand_in.come(beside))

    def occupants(self, jid: JID) -> list[JID]:
        """As whom an account stands in rooms."""
        holder = self._ledger.holders.get(jid)
        return [] if holder is None else [stand_in.state.occupant for stand_in in holder.rooms.values()]

    def blocked(self, account: Account, occupants: Iterable[JID]) -> None:
        """An account has blocked these: rooms in which it is one of them are left for good (XEP-0191 §3.3)."""
        for occupant in occupants:
            found = self._ledger.find(account.jid, occupant.bare)
            if found is not None and found[1].state.occupant == occupant:
                self.performer.perform(*found, found[1].barred())

    def leave(self, holder: Holder, room: JID, is_meant: bool = False) -> None:
        """The account leaves a room; if somebody means just that one, until it is wished anew."""
        stand_in = holder.rooms.get(room)
        if stand_in is not None:
            self.performer.perform(holder, stand_in, stand_in.leave(is_meant))

    def stay(self, holder: Holder, room: JID, keeps: bool) -> None:
        """The account stays in a room without a bookmark, until a client leaves it as the last; or does not."""
        stand_in = holder.rooms.get(room)
        if stand_in is not None and stand_in.state.keeps != keeps:
            stand_in.state.keeps = keeps
            acts = stand_in.wished(stand_in.state.wish, self._clock.seconds(), is_news=False)
            self.performer.perform(holder, stand_in, [*acts, Save()])


def _beside(account: Account, room: JID) -> list[Beside]:
    return [
        Beside(session.jid, session.directed.rooms[room].resource, _presence(session))
        for session in account.sessions.values()
        if room in session.directed.rooms
    ]


def _presence(session: Session) -> Element:
    """What a client says to all is most often what it says to rooms."""
    return Element("presence") if session.presence is None else session.presence


def _figures(stand_in: StandIn) -> StandInFigures:
    s = stand_in.state
    clients = [client.resource for client in s.clients]
    return StandInFigures(s.room, s.here or s.nick, s.standing.name.lower(), s.why, s.wish is not None, clients)
