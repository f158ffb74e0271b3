"""Stanzas that wait to be written: they have no numbers yet, so they can be thinned out (XEP-0198 leaves it to us)."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from ..xmpp import namespaces as ns
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .keeping import COPY, SPOOL

Addressed = tuple[Payload, JID]

_REPLACEABLE: Final = ("", "unavailable")  # presence that says how somebody is now


class Pending:
    """What waits for one session, oldest first.

    While its client is away, only the newest presence of each contact or occupant is kept, and no chat states: nobody
    will want to know what once was.
    """

    __slots__ = ("_count", "_entries", "_presences", "characters")

    def __init__(self) -> None:
        self._entries: deque[list[Addressed | None]] = deque()  # each with one place; None: something newer is there
        self._presences: dict[tuple[str, str], list[Addressed | None]] = {}
        self._count = 0
        self.characters = 0

    def __len__(self) -> int:
        return self._count

    @property
    def presences(self) -> int:
        """How many contacts and occupants the presence waits of: no thinning brings it below that."""
        return len(self._presences)

    def __iter__(self) -> Iterator[Addressed]:
        return iter([entry[0] for entry in self._entries if entry[0] is not None])

    def put(self, payload: Payload, to: JID, is_away: bool = False) -> bool:
        """Takes in a stanza; `is_away`: nobody reads now. False: it would say nothing later on, and was dropped."""
        if is_away and _is_fleeting(payload):
            return False
        entry: list[Addressed | None] = [(payload, to)]
        if payload.kind == "presence" and payload.type in _REPLACEABLE:
            if is_away:
                self._forget(self._presences.get((payload.sender, to)))
            self._presences[payload.sender, to] = entry
        self._entries.append(entry)
        self._count += 1
        self.characters += len(payload.rest)
        return True

    def take(self) -> Addressed:
        """The oldest, which is now to be written. Raises IndexError where nothing waits."""
        while (addressed := self._entries.popleft()[0]) is None:
            pass
        self._left(*addressed)
        return addressed

    def thin(self, everything: bool) -> None:
        """Too much waits: drops old presence, and what stands in the archive of a room where it can be asked for.

        So do copies (XEP-0280) in the account's own, which would end with the session. With `everything`, whatever
        stands there goes.
        """
        waiting = list(self)
        self.clear()
        for payload, to in waiting:
            ends_with_it = bool(payload.keep) and not payload.keep & SPOOL
            if payload.archive_id and (everything or payload.type == "groupchat" or ends_with_it):
                continue
            self.put(payload, to, is_away=True)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._entries.clear()
        self._presences.clear()
        self._count = self.characters = 0

    def _forget(self, entry: list[Addressed | None] | None) -> None:
        if entry is not None and entry[0] is not None:
            addressed, entry[0] = entry[0], None
            self._left(*addressed)
            if len(self._entries) > 2 * self._count + 16:  # mostly holes: somebody's presence changes all the time
                self._entries = deque(entry for entry in self._entries if entry[0] is not None)

    def _left(self, payload: Payload, to: JID) -> None:
        self._count -= 1
        self.characters -= len(payload.rest)
        key = (payload.sender, to)
        newest = self._presences.get(key)
        if newest is not None and (newest[0] is None or newest[0][0] is payload):
            del self._presences[key]


def _is_fleeting(payload: Payload) -> bool:
    """Whether it is a chat state and nothing else (XEP-0085 §5.5)."""
    return (
        payload.kind == "message"
        and payload.type != "error"
        and not (payload.keep & ~COPY or payload.archive_id or payload.spooled)
        and ns.CHAT_STATES in payload.rest
        and "<body" not in payload.rest
        and "<subject" not in payload.rest
    )
