"""The discussion history that a new occupant gets (XEP-0045 §7.2.13, §7.2.14): the newest messages of the archive."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ...xmpp.delay import delayed
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ...xmpp.stamps import stamp_of

# A client that enters gets all of it at once, and must be able to take it.
_MOST_CHARACTERS: Final = 1_000_000


class Limits(NamedTuple):
    """How much history somebody wants: at most so many characters and messages, none older than `since`."""

    characters: float = float("inf")
    messages: float = float("inf")
    since: float = 0.0

    @classmethod
    def parse(cls, history: Element | None, now: float) -> "Limits":
        """The limits in a `<history/>`; none if there is none. Raises StanzaError `bad-request`."""
        if history is None:
            return cls()
        try:
            since = history.get("since")
            earliest = stamp_of(since) if since is not None else 0.0
            return cls(
                _count(history.get("maxchars")),
                _count(history.get("maxstanzas")),
                max(earliest, now - _count(history.get("seconds"))),
            )
        except ValueError:
            raise StanzaError("bad-request", "the history asked for is no number or no time") from None


_NO_LIMITS = Limits()


def _count(text: str | None) -> float:
    if text is None:
        return float("inf")
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return float(text[:20])


class History:
    """The newest messages of a room, at most `limit`, each with the id that it has in the archive.

    They are fewer where they are very long.
    """

    def __init__(self, room: JID, limit: int) -> None:
        self._room = room
        # A message gets its <delay/> when somebody enters who must be shown it: in a busy room most never do.
        self._live: deque[Payload] = deque(maxlen=limit)
        self._delayed: deque[Payload] = deque(maxlen=limit)
        self._characters = 0  # at least as many as there are: what falls out is not subtracted at once
        self.newest_id = ""  #: the stanza-id of the newest message, even where none is kept here
        self.is_whole = True  #: whether there were never more messages than are here

    @property
    def limit(self) -> int:
        """The most messages that are kept here."""
        return self._live.maxlen or 0

    def append(self, message: Payload) -> None:
        """One more message, as it was sent live."""
        self._live.append(message)
        self.newest_id = message.archive_id
        self._characters += len(message.rest)
        if self._characters > _MOST_CHARACTERS:
            self._shorten()

    def _shorten(self) -> None:
        """Lets the oldest go, as far as the rest is too long."""
        self._characters = sum([len(message.rest) for message in (*self._delayed, *self._live)])
        for kept in (self._delayed, self._live):
            while kept and self._characters > _MOST_CHARACTERS:
                self.is_whole = False
                self._characters -= len(kept.popleft().rest)

    def find(self, id: str) -> Payload | None:
        """The message with that stanza-id, if it is among them."""
        return next((message for message in (*self._live, *self._delayed) if message.archive_id == id), None)

    def until(self, stamp: float) -> list[Payload]:
        """The messages kept here that are no newer than that, the newest first."""
        found = [message for message in (*self._delayed, *self._live) if message.stamp <= stamp]
        found.reverse()
        return found

    def forget(self, id: str) -> None:
        """That message is not to be told any more."""
        found = self.find(id)
        if found is not None:
            (self._live if found in self._live else self._delayed).remove(found)

    def expire(self, before: float) -> None:
        """What is older is not to be told any more."""
        for kept in (self._delayed, self._live):
            while kept and kept[0].stamp < before:
                self.is_whole = False
                kept.popleft()

    def resized(self, room: JID, limit: int) -> "History":
        """The same history under another limit."""
        history = History(room, limit)
        newest = self._newest()
        history._delayed.extend(newest)
        history._characters = self._characters
        history.newest_id, history.is_whole = self.newest_id, self.is_whole and len(newest) <= limit
        return history

    def _newest(self) -> deque[Payload]:
        if len(self._live) + len(self._delayed) > self.limit or (self.newest_id and len(self._live) == self.limit):
            self.is_whole = False  # or as good as that: what falls out unseen is not counted
        while self._live:
            message = self._live.popleft()
            self._delayed.append(delayed(message, self._room, message.stamp))
        return self._delayed

    def within(self, limits: Limits, to: JID) -> list[Payload]:
        """The messages within all limits, oldest first, each complete; `maxchars` counts whole stanzas."""
        newest = self._newest()
        return list(newest) if limits == _NO_LIMITS else limited(newest, limits, to)

    def unseen(
        self, place: int, place_of: Callable[[str], int | None], limits: Limits, to: JID
    ) -> tuple[list[Payload], bool]:
        """The messages behind a place of the archive, within all limits; and whether these are all that there were."""
        newest = list(self._newest())
        behind = [message for message in newest if (place_of(message.archive_id) or 0) > place]
        is_all = self.is_whole or len(behind) < len(newest) or (place_of(self.newest_id) or 0) <= place
        found = limited(behind, limits, to)
        return found, is_all and len(found) == len(behind)


def limited(messages: Sequence[Payload], limits: Limits, to: JID) -> list[Payload]:
    """The newest of these messages within all limits, oldest first; `maxchars` counts whole stanzas."""
    found: list[Payload] = []
    left = limits.characters
    for message in reversed(messages):
        left -= len(message.addressed(to))
        if left < 0 or len(found) >= limits.messages or message.stamp < limits.since:
            break
        found.append(message)
    found.reverse()
    return found
