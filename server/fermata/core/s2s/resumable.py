"""Streams between servers that outlive their connections (XEP-0198 §5): what is known of them, who may go on with one.

Going on with a stream hands over what was in doubt of a pair, so an id alone is worth nothing: it is looked up among
the streams of the very pair that was proven anew, and by no weaker means.
"""

import hmac
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.errors import StreamError
from ..stream_management import Inbound
from .pair import Pair
from .queue import Waiting
from .site import site_of

MOST_OF_PAIR: Final = 2  #: of one direction
MOST_OF_SITE: Final = 1_000  #: whoever has one domain has any number below it
MOST: Final = 20_000
_MODULUS: Final = 2**32
_CERTIFICATE: Final = "certificate"


class Direction(NamedTuple):
    """Whose stanzas a stream carries, and who has opened it: only that side may go on with it."""

    pair: Pair
    opened_here: bool


class Resumable:
    """One stream: `proof` is how the peer has proven its domain, `inbound` how far we got with what it sends.

    While it has no connection, `doubtful` are the stanzas that the peer may not have, and `acked` how many it had said
    to have before these. What a process before this one has sent is not known any more: `acked` is None then.
    """

    __slots__ = ("acked", "direction", "doubtful", "id", "inbound", "is_over", "proof", "used_at")

    def __init__(self, direction: Direction, id: str, proof: str, inbound: Inbound, used_at: float) -> None:
        self.direction, self.id, self.proof, self.inbound, self.used_at = direction, id, proof, inbound, used_at
        self.acked: int | None = None
        self.doubtful: list[Waiting] = []
        self.is_over = False  #: what was in doubt is sent another way: only how far we got can still be told

    def bears(self, proof: str) -> bool:
        """Whether a peer that has proven its domain in this way may go on with it."""
        return proof == self.proof or proof == _CERTIFICATE

    def told(self, h: int) -> list[Waiting]:
        """The peer says that it has handled `h`: returns what it has of what was in doubt; the rest it has not.

        A peer that has forgotten some of what it acknowledged goes on with a smaller `h`. Raises StreamError if so many
        were never sent.
        """
        if not 0 <= h < _MODULUS:
            raise self._too_high(h)
        count = 0 if self.acked is None else (h - self.acked) % _MODULUS
        if count >= _MODULUS // 2:
            count = 0
        if count > len(self.doubtful):
            raise self._too_high(h)
        self.acked = h
        arrived, self.doubtful = self.doubtful[:count], self.doubtful[count:]
        return arrived

    def give_up(self) -> list[Waiting]:
        """What was in doubt is so for good: returns it."""
        doubtful, self.doubtful, self.is_over = self.doubtful, [], True
        return doubtful

    def _too_high(self, h: int) -> StreamError:
        sent = ((self.acked or 0) + len(self.doubtful)) % _MODULUS
        detail = f"<handled-count-too-high xmlns='{ns.SM}' h='{h}' send-count='{sent}'/>"
        return StreamError("undefined-condition", detail=detail)


class Resumables:
    """All of them: where there are too many of a pair, of a site or at all, the oldest goes."""

    __slots__ = ("_all", "_by_direction", "_of_site")

    def __init__(self) -> None:
        self._all: dict[Resumable, None] = {}  # the oldest first, as below
        self._by_direction: dict[Direction, list[Resumable]] = {}
        self._of_site: dict[str, dict[Resumable, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Resumable]:
        return iter(self._all)

    def add(self, stream: Resumable) -> list[Resumable]:
        """Adds one; returns those that had to go. Of the streams that we open for a pair, the last alone counts."""
        of_direction = self._by_direction.setdefault(stream.direction, [])
        of_site = self._of_site.setdefault(site_of(stream.direction.pair.remote), {})
        of_direction.append(stream)
        self._all[stream] = of_site[stream] = None
        gone = of_direction[: -1 if stream.direction.opened_here else -MOST_OF_PAIR]
        for each, most in ((of_site, MOST_OF_SITE), (self._all, MOST)):
            if len(each) - len(gone) > most:
                gone += [next(oldest for oldest in each if oldest not in gone)]
        for each_gone in gone:
            self.discard(each_gone)
        return gone

    def discard(self, stream: Resumable) -> None:
        """It is over, or nobody will come for it."""
        if stream not in self._all:
            return
        site = site_of(stream.direction.pair.remote)
        of_direction, of_site = self._by_direction[stream.direction], self._of_site[site]
        of_direction.remove(stream)
        del self._all[stream], of_site[stream]
        if not of_direction:
            del self._by_direction[stream.direction]
        if not of_site:
            del self._of_site[site]

    def opened(self, pair: Pair) -> Resumable | None:
        """The stream that we have opened for a pair, and may go on with."""
        found = self._by_direction.get(Direction(pair, True))
        return found[-1] if found else None

    def accepted(self, pair: Pair, id: str, proof: str) -> Resumable | None:
        """The stream with that id that a peer has opened, which has now proven that pair, in that way."""
        found = None
        for stream in self._by_direction.get(Direction(pair, False), ()):
            if hmac.compare_digest(stream.id.encode(), id.encode()):
                found = stream
        return found if found is not None and found.bears(proof) else None
