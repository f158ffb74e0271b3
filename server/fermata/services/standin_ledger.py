"""What is known of stand-ins on disk, and the accounts that have any in memory (docs/design/0006)."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ..core.records import Record, Step, ValueRemoved, ValueSaved
from ..core.release import ReleaseQueue
from ..core.standin.standin import StandIn
from ..core.standin.stanzas import said_at
from ..core.standin.state import Standing, StandInState
from ..core.stored_xml import stanza_from
from ..host.registry import RESERVED
from ..host.stores import StoodIn, ValueStore, Writer
from ..xmpp.element import Element
from ..xmpp.jid import JID, JIDError
from ..xmpp.payload import Payload, payload_of

_log = logging.getLogger(__name__)
SPACE: Final = "stand-in"  #: of the values; each room is a key, and the account itself the empty one
_BEFORE: Final = "stand-in-before"  # what was said in a room before the account came
_BEFORE_CHARACTERS: Final = 100_000
_RESOURCE_CHARACTERS: Final = 10


class Holder:
    """An account that stands in rooms: `number` in storage, `me` its full JID in them, its rooms by bare JID.

    `mode` is what the account itself has decided, empty for nothing; `seen` when it was last online (Unix seconds);
    `alone` are the rooms that it leaves to its clients; `added` is what the server adds to each of its presences.
    """

    __slots__ = (
        "_added_text",
        "added",
        "alone",
        "is_recalled",
        "jid",
        "me",
        "mode",
        "number",
        "queue",
        "rooms",
        "seen",
        "waiting",
    )

    def __init__(self, number: int, jid: JID, resource: str, queue: ReleaseQueue) -> None:
        self.number, self.jid, self.me, self.queue = number, jid, jid.with_resource(resource), queue
        self.rooms: dict[JID, StandIn] = {}
        self.mode, self.seen = "", 0.0
        self.alone: frozenset[JID] = frozenset()
        self._added_text = ""
        self.added: tuple[Element, ...] = ()
        self.is_recalled = True  #: whether its rooms know what its archive has of them
        self.waiting: list[Callable[[], None]] | None = None  #: what is to be done once they do

    def saved(self) -> str:
        """What is kept of the account itself, as JSON."""
        kept = {"resource": self.me.resource, "mode": self.mode, "seen": self.seen, "alone": sorted(self.alone)}
        return json.dumps({**kept, "added": self._added_text})

    def add(self, text: str) -> bool:
        """What the server adds is what this presence contains, which is XML, or nothing; whether that is new."""
        is_new, self._added_text = text != self._added_text, text
        if is_new:
            self.added = tuple(stanza_from(text)) if text else ()
            for stand_in in self.rooms.values():
                stand_in.state.added = self.added
        return is_new


class Ledger:
    """All of them, by bare JID. `extra` goes into each presence of a stand-in."""

    def __init__(
        self, writer: Writer, values: ValueStore, new_id: Callable[[], str], extra: tuple[Element, ...]
    ) -> None:
        self._writer, self._values, self._new_id, self._extra = writer, values, new_id, extra
        self.holders: dict[JID, Holder] = {}

    def load(self, rows: Iterable[StoodIn]) -> None:
        """Takes up what the process before this one has left."""
        rooms: dict[JID, list[StoodIn]] = {}
        for row in rows:
            if row.key:
                rooms.setdefault(row.account, []).append(row)
            else:
                self._load_holder(row)
        for jid, stood in rooms.items():
            holder = self.holders.get(jid)
            for row in stood if holder is not None else ():
                self._load_room(self.holders[jid], row)

    def _load_holder(self, row: StoodIn) -> None:
        try:
            kept: dict[str, Any] = json.loads(row.value)
            holder = Holder(row.number, row.account, kept["resource"], self._new_queue())
        except (ValueError, KeyError, JIDError):
            _log.exception("what is kept of the rooms of %s makes no sense", row.account)
            return
        holder.is_recalled = False
        holder.mode, holder.seen = kept.get("mode", ""), kept.get("seen", 0.0)
        holder.alone = frozenset(map(JID.parse, kept.get("alone", ())))
        holder.add(kept.get("added", ""))
        self.holders[row.account] = holder

    def _load_room(self, holder: Holder, row: StoodIn) -> None:
        try:
            room = JID.parse(row.key)
            stand_in = StandIn(holder.me, room, self._new_id, self._extra)
            stand_in.state.restore(row.value)
            stand_in.state.added = holder.added
        except (ValueError, KeyError, TypeError, JIDError):
            _log.exception("what is kept of %s in %s makes no sense", row.account, row.key)
            return
        holder.rooms[room] = stand_in

    def find(self, jid: JID, room: JID) -> tuple[Holder, StandIn] | None:
        """An account and how it stands in a room; `jid` is its bare JID, or the full one that it has in rooms."""
        holder = self.holders.get(jid.bare)
        stand_in = None if holder is None or jid not in (holder.me, holder.jid) else holder.rooms.get(room)
        return None if holder is None or stand_in is None else (holder, stand_in)

    def holder(self, number: int, jid: JID) -> Holder:
        """The one of an account, made if there is none."""
        holder = self.holders.get(jid)
        if holder is None:
            resource = RESERVED + self._new_id()[:_RESOURCE_CHARACTERS]
            holder = self.holders[jid] = Holder(number, jid, resource, self._new_queue())
            self.save_holder(holder)
        return holder

    def stand_in(self, holder: Holder, room: JID) -> StandIn:
        """The one of an account in a room, made if there is none."""
        stand_in = holder.rooms.get(room)
        if stand_in is None:
            stand_in = holder.rooms[room] = StandIn(holder.me, room, self._new_id, self._extra)
            stand_in.state.added = holder.added
        return stand_in

    def save_holder(self, holder: Holder) -> None:
        """Keeps what has changed of the account itself."""
        self._submit(ValueSaved(holder.number, SPACE, "", holder.saved()))

    def save(self, holder: Holder, stand_in: StandIn) -> None:
        """Keeps what has changed in one room; of one that nobody wants or is in, nothing."""
        s = stand_in.state
        if s.standing is Standing.OUT and not s.is_wanted and not s.attached and not s.waiting:
            holder.rooms.pop(s.room, None)
            self._submit(*self._without_before(holder, s), ValueRemoved(holder.number, SPACE, s.room))
        else:
            self._submit(ValueSaved(holder.number, SPACE, s.room, s.saved()))

    def save_before(self, holder: Holder, stand_in: StandIn, messages: Sequence[Payload]) -> None:
        """Keeps what was said in a room before the account came: the newest of these, as far as there is room."""
        texts: list[str] = []
        left = _BEFORE_CHARACTERS
        for message in reversed(messages):
            text = message.addressed(holder.jid)
            left -= len(text)
            if left < 0:
                break
            texts.append(text)
        if texts:
            s = stand_in.state
            s.before = messages[-1].stamp
            kept = ValueSaved(holder.number, _BEFORE, s.room, json.dumps(texts[::-1]))
            self._submit(kept, ValueSaved(holder.number, SPACE, s.room, s.saved()))

    async def before(self, holder: Holder, stand_in: StandIn) -> list[Payload]:
        """What is kept of that, oldest first. Raises StorageError."""
        s = stand_in.state
        text = await self._values.value(holder.number, _BEFORE, s.room) if s.before else None
        found = [] if text is None else [stanza_from(xml) for xml in json.loads(text)]
        return [payload_of(stanza, stamp=said_at(stanza)) for stanza in found]

    def drop_before(self, holder: Holder, stand_in: StandIn) -> None:
        """Nobody will be shown that any more."""
        records = self._without_before(holder, stand_in.state)
        if records:
            self._submit(*records, ValueSaved(holder.number, SPACE, stand_in.state.room, stand_in.state.saved()))

    def _without_before(self, holder: Holder, s: StandInState) -> list[Record]:
        if not s.before:
            return []
        s.before = 0.0
        return [ValueRemoved(holder.number, _BEFORE, s.room)]

    def drop(self, jid: JID) -> None:
        """The account is gone, and with it what is kept of it."""
        self.holders.pop(jid, None)

    def _submit(self, *records: Record) -> None:
        self._writer.submit(Step([*records]))

    def _new_queue(self) -> ReleaseQueue:
        return ReleaseQueue(self._writer, _refuse)


def _refuse(step: Step) -> None:
    """A message could not be kept, so nobody is shown it: the room has it, and clients ask that."""
    _log.error("a message from a room could not be kept: %s", step.error)
