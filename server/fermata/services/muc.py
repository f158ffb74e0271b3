"""Rooms at work: loads them, hands them what arrives, keeps and sends what their rules say (XEP-0045).

The rules are `core.muc`; a room's order is its release queue. What a room has said is in the archive before anybody
sees it, and what cannot be kept is told to nobody but its author.
"""

import logging
from collections.abc import Callable

from ..core.archive_answer import Ends
from ..core.archive_query import Found
from ..core.breaks import Breaks
from ..core.muc.effects import Effects, Reading
from ..core.muc.exit import vanish
from ..core.muc.room import Room
from ..core.records import Lineage, MessageArchived, MessageReplaced, OccupancyEnded, Step
from ..core.release import ReleaseQueue
from ..host.iq import Addressee, IQTable, Request
from ..host.origin import Clock, Origin
from ..host.pipeline import guarded
from ..host.registry import Sessions
from ..host.residents import Residents, Spawn
from ..host.router import Router
from ..host.stores import Writer
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import answerable, error_of
from .messages import Messages
from .muc_entrances import Entrances
from .muc_rooms import RoomLoading
from .muc_speech import RoomSpeech
from .muc_venues import Venues
from .muc_verification import RoomVerification

_log = logging.getLogger(__name__)
_Take = Callable[[Room, JID, Element, float], Effects]


class LiveRoom:
    """A room in memory: its rules, and the order in which it speaks."""

    __slots__ = ("lineage", "queue", "rules")

    def __init__(self, rules: Room, queue: ReleaseQueue, reload: "Callable[[LiveRoom], None]") -> None:
        self.rules, self.queue = rules, queue
        self.lineage = Lineage(lambda: reload(self))


class RoomService:
    """All rooms of one service domain."""

    def __init__(
        self,
        loading: RoomLoading,
        venues: Venues,
        verification: RoomVerification,
        messages: Messages,
        iqs: IQTable,
        router: Router,
        sessions: Sessions,
        writer: Writer,
        clock: Clock,
        spawn: Spawn,
        keeps_archives: bool,
    ) -> None:
        self._loading, self._venues, self._iqs = loading, venues, iqs
        self._messages, self._spawn = messages, spawn
        self._router, self._sessions = router, sessions
        self._writer, self._clock, self._keeps_archives = writer, clock, keeps_archives
        self.verification, self._doubts = verification, verification.doubts
        verification.on_gone = self._vanish
        self.speech = RoomSpeech(messages, router, sessions, verification.is_awaited)
        #: How many people are in a room that was not needed in memory yet since the start.
        self.recorded: dict[JID, int] = {}
        self.breaks = Breaks()  #: since the start, everybody is newly connected
        self.breaks.note("", clock.seconds())
        # Rooms to be loaded again, with the sessions that were in them: nobody falls out because a disk is full.
        self._interrupted: dict[JID, frozenset[JID]] = {}
        self._entrances = Entrances()
        self._moved: dict[JID, str] = {}  # where rooms are that somebody has looked for
        self.rooms: Residents[LiveRoom] = Residents(self._load, _is_idle, spawn)

    # -- what arrives (see host.router.Destination)

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A message to a room or to one of its occupants."""
        if not to.local:
            raise StanzaError("service-unavailable")
        self._enter(stanza, to, sender, origin, Room.message)

    def presence(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A presence to a room: entering, leaving, a new nickname, a new status."""
        if to.local:
            self._enter(stanza, to, sender, origin, Room.presence)

    def iq(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """An iq to the service, to a room or to one of its occupants."""
        if to.local:
            self._enter(stanza, to, sender, origin, Room.iq)
        elif to.resource:
            raise StanzaError("service-unavailable")
        elif stanza.get("type") in ("get", "set"):
            self._iqs.answer(Addressee.SERVER, Request(stanza, stanza[0], sender, to, None, origin))

    def deliver(self, payload: Payload, to: JID) -> None:
        """Invitations and questions to admins can be for an address of ours: rooms have no use for them."""

    # -- one step of one room

    def _enter(self, stanza: Element, to: JID, sender: JID, origin: Origin, take: _Take) -> None:
        if self._doubts and sender in self._doubts and self.verification.take(stanza, to.bare, sender):
            return
        if self._entrances and self._puts_off(stanza, to, sender, origin, take):
            return
        self._take(stanza, to, sender, origin, take)

    def _puts_off(self, stanza: Element, to: JID, sender: JID, origin: Origin, take: _Take) -> bool:
        settled = origin.hold()

        def go_on() -> None:
            guarded(stanza, sender, origin, lambda: self._enter(stanza, to, sender, origin, take))
            settled()

        is_put_off = self._entrances.puts_off(to.bare, sender, go_on)
        if not is_put_off:
            settled()
        return is_put_off

    def _take(self, stanza: Element, to: JID, sender: JID, origin: Origin, take: _Take) -> None:
        room = self.rooms.get(to.bare)
        if room is not None:
            self._step(room, stanza, sender, origin, take)
            return
        settled = origin.hold()

        def go_on(room: LiveRoom | None) -> None:
            # Not before it is in memory: loading can fail, and it can be begun more than once.
            self._interrupted.pop(to.bare, None)
            if room is None:
                guarded(stanza, sender, origin, lambda: self._without_room(stanza, to, sender))
            else:
                guarded(stanza, sender, origin, lambda: self._step(room, stanza, sender, origin, take))
            settled()

        def give_up(error: StanzaError) -> None:
            # Any answer to a self-ping would say something of the room; none says that nothing is known (XEP-0410).
            if not _is_self_ping(stanza, to):
                origin.refuse(stanza, error)
            settled()

        self.rooms.use(to.bare, go_on, give_up)

    def _without_room(self, stanza: Element, to: JID, sender: JID) -> None:
        """No room is there: entering makes one (§10.1); a self-ping must not sound as if it stood (XEP-0410)."""
        kind, type = stanza.tag, stanza.get("type", "")
        if kind == "presence":
            venue = self._moved.get(to.bare, "")
            if type == "" and venue:
                raise StanzaError("gone", "the room has moved", by=to.bare, uri=f"xmpp:{venue}?join")
            if type == "" and child(stanza, "{%s}x" % ns.MUC) is not None and to.resource:
                self._create(to.bare, sender, stanza)
            elif type == "" and not to.resource:
                raise StanzaError("jid-malformed", "a nickname is missing", by=to.bare)
            elif type == "":
                raise StanzaError("item-not-found", "there is no such room", by=to.bare)
            return
        if _is_self_ping(stanza, to):
            raise StanzaError("not-acceptable", "you are not in that room", "cancel", by=to.bare)
        if kind == "message" and type == "groupchat":
            raise StanzaError("not-acceptable", "you are not in that room", "cancel", by=to.bare)
        raise StanzaError("item-not-found", "there is no such room", by=to.bare)

    def _create(self, jid: JID, creator: JID, presence: Element) -> None:
        rules, effects = self._loading.create(jid, creator, presence)
        room = self._live(rules)
        self.rooms.put(jid, room)
        self.perform(room, effects, presence)

    async def _load(self, jid: JID) -> LiveRoom | None:
        gone: list[JID] = []
        rules = await self._loading.load(jid, self._stays_in(jid, gone))
        self.recorded.pop(jid, None)
        if rules is not None:
            if gone:
                self._writer.submit(Step([OccupancyEnded(rules.state.number, session) for session in gone]))
            return self._live(rules)
        self._moved[jid] = await self._venues.of(jid)
        if not self._moved[jid]:
            del self._moved[jid]
        return None

    def _stays_in(self, room: JID, gone: list[JID]) -> Callable[[JID], bool]:
        """Whether a session that storage has in a room is still in it when that is loaded; who is not is `gone`."""
        present = self._interrupted.get(room)
        if present is None:
            return lambda session: True

        def stays(session: JID) -> bool:
            # Whoever was to be removed by what could not be kept is in, as far as his session is.
            if session in present or self._sessions.get(session) is not None:
                return True
            gone.append(session)
            return False

        return stays

    def _live(self, rules: Room) -> LiveRoom:
        room = LiveRoom(rules, ReleaseQueue(self._writer, self._refuse), self._start_anew)
        rules.state.breaks = self.breaks
        self._watch(room)
        return room

    def _watch(self, room: LiveRoom) -> None:
        """Calls the room when it wants to be called: a new one opens by itself some time."""
        due = room.rules.next_deadline()
        if due is not None:
            self._clock.callLater(max(0.0, due - self._clock.seconds()), self._tick, room)

    def _tick(self, room: LiveRoom) -> None:
        if self.rooms.get(room.rules.jid) is room:
            self.perform(room, room.rules.tick(self._clock.seconds()))

    def _step(self, room: LiveRoom, stanza: Element, sender: JID, origin: Origin, take: _Take) -> None:
        try:
            effects = take(room.rules, sender, stanza, self._clock.seconds())
        except StanzaError as error:
            if answerable(stanza):
                # In line behind what the room has said so far, as everything that it says.
                room.queue.put(0, None, origin.answer, error_of(stanza, error))
            return
        self.perform(room, effects, stanza)
        if stanza.tag == "message" and stanza.get("type") != "groupchat":
            self._messages.keep_sent(stanza, JID.parse(stanza.get("to", "")), sender, origin)
        if effects.recall:
            self._spawn(self._recall(room, effects.recall, stanza, sender, origin))
        if effects.reading is not None:
            self._spawn(self._read(room, effects.reading, stanza, sender, origin))

    async def _recall(self, room: LiveRoom, seq: int, stanza: Element, sender: JID, origin: Origin) -> None:
        """Shows a room the message of its archive that a stanza is about."""
        jid, settled = room.rules.jid, origin.hold()
        try:
            archived = await self._loading.archived(room.rules.state.number, seq)
            self._enter(stanza, jid, sender, origin, lambda rules, *given: rules.recalled(*given, archived))
        except Exception:
            _log.exception("the archive of %s can't be read", jid)
            if stanza.tag == "iq":  # a message has been passed on already
                origin.refuse(stanza, StanzaError("internal-server-error", "the database does not answer", "wait"))
        finally:
            settled()

    async def read(self, room: LiveRoom, reading: Reading) -> Found | Ends | None:
        """What stands in the archive of a room. Raises StanzaError if it cannot be answered."""
        return await self._loading.read(room.rules.state.number, reading)

    async def _read(self, room: LiveRoom, reading: Reading, stanza: Element, sender: JID, origin: Origin) -> None:
        """Reads in the archive of a room what somebody asks it for."""
        jid, settled = room.rules.jid, origin.hold()
        if stanza.tag == "presence":
            self._entrances.begin(jid, sender)
        try:
            answer = await self.read(room, reading)
            self._take(stanza, jid, sender, origin, lambda rules, *given: rules.told(*given, answer))
        except StanzaError as error:
            error.by = jid
            room.rules.give_up(sender)
            room.queue.put(0, None, origin.answer, error_of(stanza, error))
        except Exception:
            _log.exception("the archive of %s can't be read", jid)
            room.rules.give_up(sender)
            origin.refuse(stanza, StanzaError("internal-server-error", "the database does not answer", "wait"))
        finally:
            settled()
            if stanza.tag == "presence":
                self._entrances.end(jid, sender)

    def perform(self, room: LiveRoom, effects: Effects, stanza: Element | None = None) -> None:
        """Keeps what a step made, then sends what it says."""
        records, sends = effects.records, effects.sends
        if not self._keeps_archives:
            records = [record for record in records if not isinstance(record, MessageArchived | MessageReplaced)]
        sends, kept = self.speech.kept(sends)
        if kept:
            records = records + kept
        # What repeats words that are not kept yet is void with them; the answer to an iq has none.
        if records or (sends and room.queue and (stanza is None or stanza.tag != "iq")):
            step = Step(records, stanza, room.lineage)
            ticket = self._writer.submit(step)
            self.speech.promise(step, sends)
            room.queue.put(ticket, step, self.speech.say, sends)
        elif sends:
            room.queue.put(0, None, self.speech.say, sends)
        if effects.due:
            self._clock.callLater(max(0.0, effects.due - self._clock.seconds()), self._tick, room)
        if effects.destroyed:
            self.rooms.drop(room.rules.jid)
            if effects.venue:
                self._spawn(self._venues.remember(room.rules.jid, effects.venue))

    def _vanish(self, jid: JID, session: JID, why: str) -> None:
        """Somebody of whom nothing was heard since the start is not there any more."""

        def act(room: LiveRoom | None) -> None:
            if room is not None:
                self.perform(room, vanish(room.rules.state, session, why, self._clock.seconds()))

        self.rooms.use(jid, act, lambda error: None)  # he stays until something for him comes back

    def figures(self) -> tuple[int, int]:
        """How many rooms are in use, and how many people are in them."""
        present = sum([len(room.rules.occupants) for room in self.rooms])
        return len(self.rooms) + len(self.recorded), present + sum(self.recorded.values())

    def _start_anew(self, room: LiveRoom) -> None:
        """A step could not be kept: the room goes back to what storage knows of it, with those who are in it."""
        jid = room.rules.jid
        _log.error("the room %s is loaded again: %s", jid, room.lineage.broken)
        self._interrupted[jid] = self._interrupted.get(jid, frozenset()).union(room.rules.occupants.everyone)
        if self.rooms.get(jid) is room:  # else it was to be destroyed
            self.rooms.drop(jid)

    def _refuse(self, step: Step) -> None:
        """A step could not be kept: its author is told."""
        stanza, step.stanza = step.stanza, None
        if stanza is None or not answerable(stanza):
            return
        answer = error_of(stanza, StanzaError("internal-server-error", "it could not be stored", "wait"))
        self._router.deliver(payload_of(answer), JID.parse(answer.get("to", "")))


def _is_self_ping(stanza: Element, to: JID) -> bool:
    return stanza.tag == "iq" and bool(to.resource) and child(stanza, "{%s}ping" % ns.PING) is not None


def _is_idle(room: LiveRoom) -> bool:
    return not room.rules.occupants and not len(room.queue)
