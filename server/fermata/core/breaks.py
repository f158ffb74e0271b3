"""Where connections between servers have broken lately."""

from math import inf
from typing import Final

_LATE_SECONDS: Final = 30.0


class Breaks:
    """What was not acknowledged may come again from there."""

    SECONDS: Final = 600.0  #: for so long it may

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[str, float] = {}  # the soonest first

    def note(self, domain: str, now: float) -> None:
        """A connection with that domain is new, or, if it is empty, all of them are."""
        self._forget(now)
        self._until.pop(domain, None)
        self._until[domain] = now + self.SECONDS

    def is_recent(self, domain: str, now: float) -> bool:
        """Whether somebody at that domain may say again what he has said."""
        if not self._until:
            return False
        self._forget(now)
        return domain in self._until or "" in self._until

    def latest(self, domain: str, now: float) -> float:
        """When the newest message was said that somebody at that domain may say again; minus infinity for none.

        What was under way on a connection that broke may have come a little later than its successor.
        """
        if not self.is_recent(domain, now):
            return -inf
        found = [self._until[name] + late for name, late in ((domain, _LATE_SECONDS), ("", 0.0)) if name in self._until]
        return max(found) - self.SECONDS

    def _forget(self, now: float) -> None:
        until = self._until
        while until and until[oldest := next(iter(until))] < now:
            del until[oldest]
