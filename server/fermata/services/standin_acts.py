"""Does what stand-ins want done (core.standin.acts), in its order."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from ..core.archive_query import Selection
from ..core.guardian.guardian import Place
from ..core.keeping import ARCHIVE, GROUPCHAT
from ..core.muc.history import limited
from ..core.records import MessageArchived, Record, Step
from ..core.standin import acts as done
from ..core.standin import repair
from ..core.standin.recent import MOST
from ..core.standin.standin import StandIn
from ..core.standin.stanzas import identity, said_at, stanza_id
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.origin import Clock, Origin, Timer
from ..host.pipeline import guarded_route
from ..host.registry import Sessions
from ..host.residents import Residents, Spawn
from ..host.router import Router
from ..host.sessions import Session
from ..host.stores import ArchivedRow, ArchiveStore, Writer
from ..host.trail import NoPromises, Promises
from ..xmpp.delay import DELAY, delayed
from ..xmpp.element import Element, child
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from .messages import Messages
from .standin_guard import Guard
from .standin_ledger import Holder, Ledger
from .standin_origin import Behalf

_log = logging.getLogger(__name__)
_RECOGNISED: Final = 10  #: so many messages of a room are known again after a start: to read more takes time
_RECALLED: Final = 2_000  #: so many messages of an archive are looked through after a start


class Performer:
    """`archive` is None where accounts have none; `take` gets what attached sessions send."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Residents[Account],
        sessions: Sessions,
        messages: Messages,
        archive: ArchiveStore | None,
        router: Router,
        relayed: Origin,
        writer: Writer,
        clock: Clock,
        spawn: Spawn,
        take: Callable[[Session, Element, JID], None],
    ) -> None:
        self._ledger, self._accounts, self._sessions, self._messages = ledger, accounts, sessions, messages
        self._archive, self._router, self._relayed, self._writer = archive, router, relayed, writer
        self._clock, self._spawn, self._take = clock, spawn, take
        self.promises: Promises = NoPromises()  #: told of what will be handed out once it is kept
        self.guard: Guard
        self._pending: deque[tuple[Holder, StandIn, done.Act, Origin]] = deque()
        self._touched: dict[StandIn, Holder] = {}
        self._is_busy = False
        self._timers: dict[StandIn, tuple[float, Timer]] = {}

    def perform(
        self, holder: Holder, stand_in: StandIn, acts: Sequence[done.Act], origin: Origin | None = None
    ) -> None:
        """Does these acts; stanzas for the room come from `origin`.

        A room here may answer before that returns: what follows from it is done behind what follows from this.
        """
        self._pending.extend((holder, stand_in, act, origin or self._relayed) for act in acts)
        self._touched[stand_in] = holder
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._pending:
                self._do(*self._pending.popleft())
        finally:
            self._is_busy = False
        while self._touched:
            each, of = self._touched.popitem()
            self.set_timer(of, each)

    def _do(self, holder: Holder, stand_in: StandIn, act: done.Act, origin: Origin) -> None:
        match act:
            case done.ToRoom(stanza, client):
                to, sender = JID.parse(stanza.get("to", "")), JID.parse(stanza.get("from", ""))
                own = self._sessions.get(sender)
                if client is not None and origin is self._relayed:
                    origin = Behalf(origin, origin, client)
                guarded_route(self._router, stanza, to, sender, origin if own is None else own)
            case done.ToClients(payload, clients):
                holder.queue.put(0, None, self._hand_out, payload, clients)
            case done.Answer(client, stanza):
                stanza.set("to", client)
                holder.queue.put(0, None, self._answer, stanza, client)
            case done.Said():
                self._said(holder, stand_in, act)
            case done.Before(messages):
                self._keep_before(holder, stand_in, messages)
            case done.Replay():
                self._spawn(self._replay(holder, stand_in, act))
            case done.Turn():
                self.recalled(holder, partial(self._line_up, holder, stand_in))
            case _:
                self._do_here(holder, stand_in, act)

    def _line_up(self, holder: Holder, stand_in: StandIn) -> None:
        s = stand_in.state
        if self._router.serves(s.room.domain):
            self.perform(holder, stand_in, repair.turn(s, self._clock.seconds()))
        else:
            self.guard.line_up(Place(holder.me, s.room), is_waited_for=bool(s.attached or s.waiting))

    def _do_here(self, holder: Holder, stand_in: StandIn, act: done.Act) -> None:
        """What is for nobody outside."""
        place, room = Place(holder.me, stand_in.state.room), stand_in.state.room
        match act:
            case done.Attached(client):
                session = self._sessions.get(client)
                if session is not None:
                    session.attached[room] = self._take
            case done.Detached(client):
                session = self._sessions.get(client)
                if session is not None:
                    session.attached.pop(room, None)
            case done.Native(client, presence):
                self._enter_natively(client, presence)
            case done.Watch(nick):
                self.guard.watch(place, nick)
            case done.Doubt():
                stand_in.state.is_doubted = self.guard.doubt(place)
            case done.Fallen(nick, pause):
                self.guard.fallen(place, nick, pause)
            case done.Refused(condition, type):
                self.guard.refused(place, condition, type)
            case done.Forget():
                self.guard.forget(place)
            case done.Save():
                self._ledger.save(holder, stand_in)

    def _enter_natively(self, client: JID, presence: Element) -> None:
        session = self._sessions.get(client)
        if session is not None:
            to = JID.parse(presence.get("to", ""))
            session.directed.sent(to, presence)
            guarded_route(self._router, presence, to, client, session)

    # -- to clients

    def _hand_out(self, payload: Payload, clients: Sequence[JID]) -> None:
        for client in clients:
            session = self._sessions.get(client)
            if session is None:
                continue
            blocklist = session.owner.blocklist
            if not (blocklist and blocklist.blocks(JID.parse(payload.sender))):
                session.send(payload, client)

    def _answer(self, stanza: Element, client: JID) -> None:
        """What a client has asked for it gets, whomever it has blocked meanwhile."""
        session = self._sessions.get(client)
        if session is not None:
            session.answer(stanza)
            if stanza.get("type") == "error":
                self._messages.refused(session, stanza)

    # -- to the archive

    def archives(self, account: Account, room: JID) -> bool:
        """Whether what is said in a room has a place in the archive of an account."""
        return self._archive is not None and account.archives(room)

    def _said(self, holder: Holder, stand_in: StandIn, act: done.Said) -> None:
        account = self._accounts.get(holder.jid)
        if account is not None:
            self._keep(account, holder, stand_in, act)
            return

        def loaded(account: Account | None) -> None:
            if account is not None:
                self._keep(account, holder, stand_in, act)

        self._accounts.use(holder.jid, loaded, lambda error: None)

    def _keep(self, account: Account, holder: Holder, stand_in: StandIn, act: done.Said) -> None:
        if account.blocklist and account.blocklist.blocks(JID.parse(act.payload.sender)):
            return
        payload: Payload = act.payload
        records: list[Record] = []
        if act.is_private:
            # A client that is there by itself has got it too, and it was kept then.
            if not is_there(account, stand_in.state.room):
                payload, records = self._messages.keep_from_room(payload, (holder.jid,))
        else:
            if self._archive is not None and self.archives(account, stand_in.state.room):
                # Places and times of an archive go together, so what was missed has the time at which it came.
                seq, stamp = self._archive.new_seq(), self._clock.seconds()
                keep, xml = ARCHIVE | GROUPCHAT, payload.addressed(holder.jid)
                sender = act.payload.sender
                records = [MessageArchived(seq, stamp, holder.number, None, sender, holder.jid, keep, xml)]
                stand_in.state.recent.kept(seq)
                if stand_in.state.before and len(stand_in.state.recent.places) >= MOST:
                    self._ledger.drop_before(holder, stand_in)
        if not records:
            holder.queue.put(0, None, self._hand_out, payload, act.clients)
            return
        step = Step(records)
        ticket = self._writer.submit(step)
        self.promises.to_each(step, payload, act.clients)
        holder.queue.put(ticket, step, self._hand_out, payload, act.clients)

    def _keep_before(self, holder: Holder, stand_in: StandIn, messages: Sequence[Payload]) -> None:
        account = self._accounts.get(holder.jid)
        if self._archive is not None and (account is None or account.archives(stand_in.state.room)):
            self._ledger.save_before(holder, stand_in, messages)

    async def _replay(self, holder: Holder, stand_in: StandIn, act: done.Replay) -> None:
        rows: list[ArchivedRow] = []
        places = tuple(stand_in.state.recent.places[-act.most :])
        before: Sequence[Payload] = act.before
        try:
            if self._archive is not None and places:
                rows = await self._archive.page(holder.number, Selection(len(places), places=places), len(places))
            if not before and len(places) < act.most:
                before = await self._ledger.before(holder, stand_in)
        except Exception:
            _log.exception("the archive of %s can't be read: a client gets no history", holder.jid)
        since = [_as_history(row, stand_in.state.room) for row in rows]
        history = limited([*before, *since], act.limits, act.client)
        self.perform(holder, stand_in, stand_in.replayed(act.client, history))

    def recalled(self, holder: Holder, act: Callable[[], None]) -> None:
        """Calls `act` once the rooms of an account know what its archive has of them: at once, but after a start."""
        if holder.is_recalled:
            act()
        elif holder.waiting is not None:
            holder.waiting.append(act)
        else:
            holder.waiting = [act]
            self._spawn(self._recall(holder))

    async def _recall(self, holder: Holder) -> None:
        try:
            rows = [] if self._archive is None else await self._archive.newest(holder.number, _RECALLED)
            found: dict[JID, list[ArchivedRow]] = {}
            for row in rows:
                if row.keep & GROUPCHAT:
                    found.setdefault(JID.parse(row.sender).bare, []).append(row)
            for room in found.keys() & holder.rooms.keys():
                _recall(holder.rooms[room], found[room][-MOST:])
        except Exception:
            _log.exception("the archive of %s can't be read: what rooms tell again may be kept twice", holder.jid)
        holder.is_recalled, waiting, holder.waiting = True, holder.waiting or [], None
        for act in waiting:
            act()

    # -- time

    def set_timer(self, holder: Holder, stand_in: StandIn) -> None:
        """Sees to it that a stand-in is called when it wants to be."""
        due = stand_in.next_deadline()
        at, timer = self._timers.get(stand_in, (float("inf"), None))
        if due == at:
            return
        if timer is not None and timer.active():
            timer.cancel()
        self._timers.pop(stand_in, None)
        if due < float("inf"):
            delay = max(0.0, due - self._clock.seconds())
            self._timers[stand_in] = due, self._clock.callLater(delay, self._tick, holder, stand_in)

    def _tick(self, holder: Holder, stand_in: StandIn) -> None:
        self._timers.pop(stand_in, None)
        self.perform(holder, stand_in, stand_in.tick(self._clock.seconds()))


def is_there(account: Account, room: JID) -> bool:
    """Whether a client of an account is in a room by itself."""
    return any(room in session.directed.rooms for session in account.sessions.values())


def _recall(stand_in: StandIn, rows: Sequence[ArchivedRow]) -> None:
    identities, last, since, room = list[str](), "", 0.0, stand_in.state.room
    for row in rows[-_RECOGNISED:]:
        stanza = stanza_from(row.xml)
        identities.append(identity(stanza, room))
        last, since = stanza_id(stanza, room) or last, said_at(stanza) or row.stamp
    stand_in.recall(identities, [row.seq for row in rows], last, since)


def _as_history(row: ArchivedRow, room: JID) -> Payload:
    """A message of the archive as the room would tell it to somebody who enters (XEP-0045 §7.2.13)."""
    stanza = stanza_from(row.xml)
    payload = payload_of(stanza, stamp=row.stamp)
    if child(stanza, DELAY) is not None:
        return payload
    return delayed(payload, room, row.stamp)
