"""What waits for another server: so much and so long (docs/design/0004), and of presence only what holds now."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.jid import JID
from ...xmpp.payload import Payload

IQ_SECONDS: Final = 60.0  #: how long a request, or the answer to one, waits
GROUPCHAT_SECONDS: Final = 900.0  #: likewise a message to a room: later, it would look new to everybody there
MESSAGE_SECONDS: Final = 3600.0  #: and any other message
_REPLACED: Final = frozenset({"", "unavailable"})  # types of presence of which the latest says all
_ENTERS: Final = f"<x xmlns='{ns.MUC}'"


class Waiting:
    """A stanza that waits, since when, and whether its sender is to be told if it can't be handed over."""

    __slots__ = ("is_answered", "payload", "since", "to")

    def __init__(self, payload: Payload, to: JID, since: float, is_answered: bool) -> None:
        self.payload, self.to, self.since, self.is_answered = payload, to, since, is_answered

    @property
    def patience(self) -> float:
        """How many seconds it may wait; presence waits as long as it takes, being true as long.

        Entering a room is a question to which somebody waits for an answer.
        """
        payload = self.payload
        if payload.kind == "message":
            return GROUPCHAT_SECONDS if payload.type == "groupchat" else MESSAGE_SECONDS
        return IQ_SECONDS if payload.kind == "iq" or self.enters else math.inf

    @property
    def enters(self) -> bool:
        """Whether it asks a room to let its sender in."""
        return self.payload.kind == "presence" and not self.payload.type and _ENTERS in self.payload.rest

    @property
    def is_replaced(self) -> bool:
        """Whether a later one to the same address says all that this one does."""
        return self.payload.kind == "presence" and self.payload.type in _REPLACED


class OutboundQueue:
    """The stanzas for one pair that could not be written, oldest first; `most_characters` bounds all of them."""

    __slots__ = ("_characters", "_most_characters", "_presences", "_waiting")

    def __init__(self, most_characters: float) -> None:
        self._most_characters = most_characters
        self._waiting: deque[Waiting] = deque()
        self._presences: dict[tuple[str, JID], Waiting] = {}
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
        """At the end; False if that is too much, and then it is not kept."""
        payload, key = entry.payload, (entry.payload.sender, entry.to)
        older = self._presences.get(key) if entry.is_replaced else None
        # Who asks to be let in and then says how he is still asks to be let in.
        if older is not None and (entry.enters or not older.enters or payload.type):
            self._characters += len(payload.rest) - len(older.payload.rest)
            older.payload = payload
            return True
        if self._characters + len(payload.rest) > self._most_characters:
            return False
        if entry.is_replaced:
            self._presences[key] = entry
        self._waiting.append(entry)
        self._characters += len(payload.rest)
        return True

    def put_first(self, entries: Iterable[Waiting]) -> None:
        """Before all others, in this order: what may not have arrived. It was let in before, so it is again."""
        for entry in reversed(list(entries)):
            self._waiting.appendleft(entry)
            self._characters += len(entry.payload.rest)

    def pop(self) -> Waiting | None:
        """Takes the oldest."""
        if not self._waiting:
            return None
        entry = self._waiting.popleft()
        self._characters -= len(entry.payload.rest)
        self._forget(entry)
        return entry

    def expire(self, now: float) -> list[Waiting]:
        """Takes those out that have waited long enough."""
        expired = [entry for entry in self._waiting if now - entry.since >= entry.patience]
        if expired:
            gone = set(map(id, expired))
            self._waiting = deque(entry for entry in self._waiting if id(entry) not in gone)
            for entry in expired:
                self._characters -= len(entry.payload.rest)
                self._forget(entry)
        return expired

    def clear(self) -> list[Waiting]:
        """Takes all of them."""
        all_of_them, self._waiting, self._characters = list(self._waiting), deque(), 0
        self._presences.clear()
        return all_of_them

    def _forget(self, entry: Waiting) -> None:
        key = (entry.payload.sender, entry.to)
        if self._presences.get(key) is entry:
            del self._presences[key]
