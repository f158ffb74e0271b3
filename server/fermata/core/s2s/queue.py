"""What waits for another server: so much and so long (docs/design/0004), and of presence only what holds now."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.jid import JID
from ...xmpp.payload import Payload

IQ_SECONDS: Final = 60.0  #: how long a request, or the answer to one, waits
GROUPCHAT_SECONDS: Final = 900.0  #: likewise a message to a room: later, it would look new to everybody there
MESSAGE_SECONDS: Final = 3600.0  #: and any other message
PRESENCE_SECONDS: Final = 7 * 86_400.0  #: and presence: a server that is gone for good shall not fill the memory
_STATE: Final = frozenset({"", "unavailable"})  # types of presence of which the latest says all
_ENTERS: Final = f"<x xmlns='{ns.MUC}'"
_SELF: Final = "code='110'"

_Key = tuple[str, JID, str]


class Waiting:
    """A stanza that waits, since when, and whether its sender is to be told if it can't be handed over."""

    __slots__ = ("is_answered", "payload", "since", "to")

    def __init__(self, payload: Payload, to: JID, since: float, is_answered: bool) -> None:
        self.payload, self.to, self.since, self.is_answered = payload, to, since, is_answered

    @property
    def patience(self) -> float:
        """How many seconds it may wait. Entering a room is a question to which somebody waits for an answer."""
        payload = self.payload
        if payload.kind == "message":
            return GROUPCHAT_SECONDS if payload.type == "groupchat" else MESSAGE_SECONDS
        return IQ_SECONDS if payload.kind == "iq" or self.enters else PRESENCE_SECONDS

    @property
    def enters(self) -> bool:
        """Whether it asks a room to let its sender in."""
        return self.payload.kind == "presence" and not self.payload.type and _ENTERS in self.payload.rest

    @property
    def key(self) -> _Key | None:
        """Those with the same key say the same, of which the latest holds; None if each says something of its own.

        Entering a room, and what the room says to somebody about himself, are steps of which none may be left out.
        """
        payload = self.payload
        if payload.kind != "presence" or _ENTERS in payload.rest or _SELF in payload.rest:
            return None
        return payload.sender, self.to, "state" if payload.type in _STATE else payload.type


class Allowance:
    """How many characters may wait in some queues together."""

    __slots__ = ("most", "used")

    def __init__(self, most: float) -> None:
        self.most, self.used = most, 0


class OutboundQueue:
    """The stanzas for one pair that could not be written, oldest first."""

    __slots__ = ("_allowance", "_characters", "_latest", "_waiting")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._waiting: OrderedDict[Waiting, None] = OrderedDict()
        self._latest: dict[_Key, Waiting] = {}
        self._characters = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting)

    @property
    def characters(self) -> int:
        """How much waits."""
        return self._characters

    def put(self, entry: Waiting) -> bool:
        """At the end, instead of what says the same; False if that is too much, and then it is not kept."""
        key = entry.key
        older = self._latest.get(key) if key is not None else None
        saved = len(older.payload.rest) if older is not None else 0
        if self._allowance.used - saved + len(entry.payload.rest) > self._allowance.most:
            return False
        if older is not None:
            self._take(older)
        if key is not None:
            self._latest[key] = entry
        self._waiting[entry] = None
        self._count(len(entry.payload.rest))
        return True

    def put_first(self, entries: Iterable[Waiting]) -> None:
        """Before all others, in this order: what may not have arrived. It was let in before, so it is again."""
        for entry in reversed(list(entries)):
            self._waiting[entry] = None
            self._waiting.move_to_end(entry, last=False)
            self._count(len(entry.payload.rest))

    def pop(self) -> Waiting | None:
        """Takes the oldest."""
        entry = next(iter(self._waiting), None)
        if entry is not None:
            self._take(entry)
        return entry

    def discard(self, entry: Waiting) -> bool:
        """Takes that one out, if it still waits; returns whether it did."""
        waits = entry in self._waiting
        if waits:
            self._take(entry)
        return waits

    def expire(self, now: float, only_iqs: bool = False) -> list[Waiting]:
        """Takes those out that have waited long enough; with `only_iqs`, all others wait as long as it takes."""
        expired = [
            entry
            for entry in self._waiting
            if now - entry.since >= entry.patience and (entry.payload.kind == "iq" or not only_iqs)
        ]
        for entry in expired:
            self._take(entry)
        return expired

    def clear(self) -> list[Waiting]:
        """Takes all of them."""
        all_of_them = list(self._waiting)
        self._count(-self._characters)
        self._waiting.clear()
        self._latest.clear()
        return all_of_them

    def _take(self, entry: Waiting) -> None:
        del self._waiting[entry]
        self._count(-len(entry.payload.rest))
        key = entry.key
        if key is not None and self._latest.get(key) is entry:
            del self._latest[key]

    def _count(self, characters: int) -> None:
        self._characters += characters
        self._allowance.used += characters
