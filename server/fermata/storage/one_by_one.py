"""Long reads share the reactor's turns: each goes on in a turn of its own, and everything else in between."""

from collections import deque

from twisted.internet.defer import Deferred

from .tickets import Clock


class OneByOne:
    """Whoever waits for it goes on in the order of asking, one in each turn, however many there are."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[Deferred[None]] = deque()

    def __call__(self) -> "Deferred[None]":
        """Fires in a later turn."""
        turn: Deferred[None] = Deferred()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            self._clock.callLater(0, self._go_on)
        return turn

    def _go_on(self) -> None:
        turn = self._waiting.popleft()
        if self._waiting:
            self._clock.callLater(0, self._go_on)
        turn.callback(None)
