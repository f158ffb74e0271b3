"""Stream management (XEP-0198): what the peer has handled of ours, and what we have handled of the peer's.

Pure bookkeeping of one session. Counters are compared modulo 2^32; whoever owns the session writes the elements.
"""

from collections import deque
from enum import Enum, auto
from typing import Final

from ..xmpp import namespaces as ns
from ..xmpp.errors import StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload

WINDOW_STANZAS: Final = 1_000  #: not acknowledged: what comes after that is held back
WINDOW_CHARACTERS: Final = 2_000_000  #: likewise
REQUEST_STANZAS: Final = 16  #: after so many we ask how far the peer got
REQUEST_SECONDS: Final = 2.0  #: we ask for fewer once they have waited so long
ANSWER_SECONDS: Final = 30.0  #: a peer that lets a request wait so long is gone
_MODULUS = 2**32
_MASK = _MODULUS - 1


class Due(Enum):
    """What `Outbound.tick` found to be due."""

    NOTHING = auto()
    REQUEST = auto()  #: write `<r/>` now
    SILENT = auto()  #: the peer does not answer: the connection is dead, the session is not


class Outbound:
    """What we wrote, until the peer says that it has handled it.

    A stanza gets its number when it is written, not when it is queued: so what waits for a connection may still be
    thinned out. `acked` is the `h` that the peer last told.
    """

    __slots__ = (
        "_asked_at",
        "_attention",
        "_characters",
        "_since",
        "_unacked",
        "_unasked",
        "acked_h",
    )

    def __init__(self, acked: int = 0) -> None:
        self.acked_h = acked
        self._unacked: deque[tuple[Payload, JID]] = deque()
        self._characters = 0
        self._since: float | None = None  # when a tick first saw stanzas that no request covers
        self._asked_at: float | None = None
        self._reset()

    def sent(self, payload: Payload, to: JID) -> bool:
        """A stanza was written. True means that something is due: call `tick`."""
        self._unacked.append((payload, to))
        self._characters += len(payload.rest)
        self._unasked += 1
        return self._unasked >= self._attention or self._characters > WINDOW_CHARACTERS

    @property
    def is_full(self) -> bool:
        """Whether so much is not acknowledged that nothing more should be written: `sent` has said so in time."""
        return len(self._unacked) >= WINDOW_STANZAS or self._characters > WINDOW_CHARACTERS

    @property
    def room(self) -> int:
        """How many stanzas may be written until it is full."""
        return WINDOW_STANZAS - len(self._unacked)

    def acked(self, h: int) -> list[int]:
        """The peer has handled `h` stanzas (§4): returns which of those waited in a spool until now.

        What it says of the past is ignored. Raises StreamError if we never sent so many.
        """
        unacked = self._unacked
        spooled: list[int] = []
        count = (h - self.acked_h) & _MASK
        is_number = 0 <= h <= _MASK
        if count > len(unacked) or not is_number:
            if count >= _MODULUS // 2 and is_number:
                return spooled
            raise StreamError("undefined-condition", detail=self._too_high(h))
        self.acked_h = h
        for _ in range(count):
            payload = unacked.popleft()[0]
            payload.has_arrived = True
            self._characters -= len(payload.rest)
            if payload.spooled:
                spooled.append(payload.spooled)
        self._reset()
        return spooled

    def adopt(self, h: int) -> list[int]:
        """As `acked`, for what is known only in part (after a power cut): the peer may have handled more than that."""
        count = (h - self.acked_h) & _MASK
        if not len(self._unacked) < count < _MODULUS // 2:
            return self.acked(h)
        spooled = self.acked((self.acked_h + len(self._unacked)) & _MASK)
        self.acked_h = h
        return spooled

    def unacked(self) -> list[tuple[Payload, JID]]:
        """What the peer may not have handled, oldest first, as (payload, addressee)."""
        return list(self._unacked)

    @property
    def unacked_count(self) -> int:
        """How many stanzas that is."""
        return len(self._unacked)

    def resume(self, h: int) -> list[tuple[Payload, JID]]:
        """A new connection took the session over, its peer having handled `h`: write these again (§5).

        They keep their numbers: they are not `sent` again. Tell `acked` first, for what it returns. Raises StreamError
        as that does.
        """
        self.acked(h)
        self._reset()
        return self.unacked()

    def hibernate(self) -> None:
        """The connection is lost, and with it the request under way: no `tick` until `resume`."""
        self._reset()

    def tick(self, now: float) -> Due:
        """The time has come, or `sent` said so. A REQUEST counts as written; the peer's answer is `acked`."""
        if self._asked_at is not None:
            return Due.SILENT if now >= self._asked_at + ANSWER_SECONDS else Due.NOTHING
        if not self._unacked:
            return Due.NOTHING
        if self._since is None:
            self._since = now
        if self._unasked < REQUEST_STANZAS and now < self._since + REQUEST_SECONDS and not self.is_full:
            return Due.NOTHING
        self.request(now)
        return Due.REQUEST

    @property
    def is_asked(self) -> bool:
        """Whether an `<r/>` is not answered yet."""
        return self._asked_at is not None

    def waits_since(self, then: float) -> bool:
        """Whether an `<r/>` of that time, or before, is not answered yet."""
        return self._asked_at is not None and self._asked_at <= then

    def request(self, now: float) -> None:
        """An `<r/>` was written, for whatever reason."""
        self._asked_at = now
        self._unasked = 0
        self._attention = max(1, WINDOW_STANZAS - len(self._unacked))

    def next_deadline(self) -> float | None:
        """When to call `tick` at the latest, in the time that it is told; 0.0 is at once, None is never."""
        if self._asked_at is not None:
            return self._asked_at + ANSWER_SECONDS
        if self._since is not None:
            return self._since + REQUEST_SECONDS
        return 0.0 if self._unacked else None

    def _reset(self) -> None:
        """No request is under way: all that is not acknowledged has still to be asked about."""
        self._asked_at = self._since = None
        self._unasked = len(self._unacked)
        self._attention = REQUEST_STANZAS

    def _too_high(self, h: int) -> str:
        count = (self.acked_h + len(self._unacked)) & _MASK
        return f"<handled-count-too-high xmlns='{ns.SM}' h='{h}' send-count='{count}'/>"


class Inbound:
    """How far we have handled what the peer sent: `h` counts a stanza once its effects, and all before, are durable.

    A *ticket* is the number of the batch of writes that holds a stanza's effects; 0 if it has none to be written.
    """

    __slots__ = ("_begun", "_committed", "_durable", "_early", "_finished", "_uncommitted")

    def __init__(self, handled: int = 0) -> None:
        self._begun = self._finished = self._committed = handled
        self._durable = 0
        # (position, ticket), both rising, of what is finished and was not durable when we last heard. If that is long
        # ago the oldest fall out: they are then counted together with the next.
        self._uncommitted: deque[tuple[int, int]] = deque(maxlen=256)
        self._early: dict[int, int] = {}  # position → ticket: finished, but something before is not

    def begin(self) -> int:
        """A stanza came in; returns its position."""
        self._begun += 1
        return self._begun

    def complete(self, position: int, ticket: int) -> None:
        """The stanza at that position has been dealt with, and its effects are in the batch `ticket`.

        Raises ValueError if no stanza there is being dealt with.
        """
        if position != self._finished + 1:
            if not self._finished < position <= self._begun or position in self._early:
                raise ValueError(f"no stanza is being dealt with at position {position}")
            self._early[position] = ticket
            return
        self._finish(position, ticket)
        while self._early and self._finished + 1 in self._early:
            position = self._finished + 1
            self._finish(position, self._early.pop(position))

    def _finish(self, position: int, ticket: int) -> None:
        self._finished = position
        waiting = self._uncommitted
        if waiting:
            newest = waiting[-1][1]
            if ticket <= newest:
                waiting[-1] = (position, newest)
            else:
                waiting.append((position, ticket))
        elif ticket <= self._durable:
            self._committed = position
        else:
            waiting.append((position, ticket))

    def advance(self, durable: int) -> int:
        """The batches up to `durable` are on disk; returns `h`."""
        if durable > self._durable:
            self._durable = durable
        waiting = self._uncommitted
        while waiting and waiting[0][1] <= durable:
            self._committed = waiting.popleft()[0]
        return self._committed & _MASK

    @property
    def h(self) -> int:
        """How many stanzas are handled as far as is known: what `<a/>` may say."""
        return self._committed & _MASK

    @property
    def finished(self) -> int:
        """What `h` will be once everything submitted so far is durable: what a batch about to commit may save."""
        return self._finished & _MASK

    @property
    def is_settled(self) -> bool:
        """Whether all that came in is counted by `h`."""
        return self._committed == self._begun
