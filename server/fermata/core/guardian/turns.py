"""Whose turn it is to ask something of a domain: at most `PER_SECOND` do, however many there are."""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from math import inf
from typing import Final, Generic, TypeVar

T = TypeVar("T")
PER_SECOND: Final = 20.0  #: questions and entrances at one domain


class _Line(Generic[T]):
    """Who waits at one domain, and when the next may go."""

    __slots__ = ("first", "free_at", "later")

    def __init__(self) -> None:
        self.first: deque[T] = deque()
        self.later: deque[T] = deque()
        self.free_at = 0.0


class Turns(Generic[T]):
    """Of all domains. Those for whom people wait go before the others."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line[T]] = {}
        self._due: list[tuple[float, str]] = []

    def ask(self, domain: str, who: T, now: float, is_waited_for: bool) -> bool:
        """Whether it is this one's turn at once; if not, `given` names it later."""
        line = self._lines.setdefault(domain, _Line())
        is_first_to_wait = not line.first and not line.later
        if is_first_to_wait and line.free_at <= now:
            line.free_at = now + 1 / PER_SECOND
            return True
        (line.first if is_waited_for else line.later).append(who)
        if is_first_to_wait:
            heappush(self._due, (line.free_at, domain))
        return False

    def next_deadline(self) -> float:
        """When to call `given` next; infinity is never."""
        return self._due[0][0] if self._due else inf

    def given(self, now: float) -> Iterator[T]:
        """Those whose turn has come."""
        while self._due and self._due[0][0] <= now:
            _, domain = heappop(self._due)
            line = self._lines[domain]
            line.free_at = now + 1 / PER_SECOND
            who = (line.first or line.later).popleft()
            if line.first or line.later:
                heappush(self._due, (line.free_at, domain))
            yield who
