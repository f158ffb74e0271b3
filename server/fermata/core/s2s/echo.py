"""How far a server without stream management got: it answers a ping behind whatever came before it (RFC 6120 §10.1)."""

from typing import Final, NamedTuple

from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..stream_management import ANSWER_SECONDS, WINDOW_STANZAS

_FEWEST_DROPPED: Final = 100


class _Question(NamedTuple):
    id: str
    position: int  # of the first stanza that the answer says nothing about
    asked_at: float


class Echo:
    """Of one connection: what was sent, and may not have arrived; positions count all that was ever sent.

    Whoever has never answered is asked once. If he says nothing for half a minute, it is concluded that nothing can be
    known: he may know no pings, or have no way to us. Until then nothing is given up: so much may be in doubt, and more
    is to wait.
    """

    __slots__ = ("_answers", "_is_unknowable", "_question", "_released", "_sent")

    def __init__(self) -> None:
        self._sent: list[tuple[Payload, JID]] = []
        self._released = 0
        self._question: _Question | None = None
        self._answers = self._is_unknowable = False

    def sent(self, payload: Payload, to: JID) -> list[int]:
        """Notes what was sent: returns which of what need not be doubted any more had waited in a spool.

        Where nothing can be known, of too much that is in doubt the oldest is taken for arrived.
        """
        self._sent.append((payload, to))
        if self._is_unknowable and len(self._sent) >= WINDOW_STANZAS + _FEWEST_DROPPED:
            return self._release(self._released + _FEWEST_DROPPED)
        return []

    @property
    def is_full(self) -> bool:
        """Whether so much is in doubt that nothing more should be sent before an answer."""
        return len(self._sent) >= WINDOW_STANZAS and not self._is_unknowable

    @property
    def unsure(self) -> list[tuple[Payload, JID]]:
        """What may not have arrived."""
        return self._sent

    @property
    def position(self) -> int:
        """Of whatever is sent next."""
        return self._released + len(self._sent)

    @property
    def open_id(self) -> str:
        """The id of the question that has no answer; empty if there is none."""
        return "" if self._question is None else self._question.id

    def ask(self, id: str, now: float) -> None:
        """A ping is sent, with that id."""
        self._question = _Question(id, self.position, now)

    def answered(self) -> list[int]:
        """It was answered, be it with an error: returns which of what has arrived had waited in a spool."""
        assert self._question is not None
        position, self._question = self._question.position, None
        self._answers, self._is_unknowable = True, False
        return self._release(position)

    def arrived(self) -> list[int]:
        """The other side says in another way that it has got all of it. Likewise."""
        self._question = None
        return self._release(self.position)

    def left(self, position: int, now: float) -> list[int]:
        """What is before that has left this machine; where no answer comes, that has to do. Likewise."""
        self._is_unknowable = self._is_late(now) and not self._answers
        return self._release(position) if self._is_unknowable else []

    def is_silent(self, now: float) -> bool:
        """Whether somebody who does answer has not done so for too long."""
        return self._is_late(now) and self._answers

    def _is_late(self, now: float) -> bool:
        return self._question is not None and now >= self._question.asked_at + ANSWER_SECONDS

    def _release(self, position: int) -> list[int]:
        count = max(0, position - self._released)
        released, self._sent = self._sent[:count], self._sent[count:]
        self._released += len(released)
        return [payload.spooled for payload, _ in released if payload.spooled]
