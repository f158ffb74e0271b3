"""How often somebody may do something, or fail at it: a count for each key, forgotten over time."""

from collections.abc import Hashable
from typing import Final

_SECONDS: Final = 60.0
_KEYS_MAX: Final = 10_000


class Throttle:
    """Deeds by key (an address, an account, one with the other), at most `most` of each in `seconds`; 0 is no limit.

    A bucket that leaks: each deed fills it by one, and it empties at the rate that is allowed.
    """

    def __init__(self, most: int, seconds: float = _SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def note(self, key: Hashable, now: float, weight: float = 1.0) -> None:
        """One more deed, of that weight."""
        if len(self._buckets) >= _KEYS_MAX:
            self._prune(now)
        self._buckets[key] = (self._level(key, now) + weight, now)

    def is_full(self, key: Hashable, now: float, weight: float = 1.0) -> bool:
        """Whether this key has done it too often to do it now: one more deed of that weight would be too much."""
        return 0 < self._most < self._level(key, now) + weight

    def _level(self, key: Hashable, now: float) -> float:
        level, since = self._buckets.get(key, (0.0, now))
        return max(0.0, level - (now - since) * self._most / self._seconds)

    def _prune(self, now: float) -> None:
        """Forgets those that are empty by now, and the older half if none is: memory is not the peer's to take."""
        kept = {key: bucket for key, bucket in self._buckets.items() if self._level(key, now) > 0}
        if len(kept) >= _KEYS_MAX:
            kept = dict(list(kept.items())[_KEYS_MAX // 2 :])
        self._buckets = kept


class Failures(Throttle):
    """Failures to authenticate, at most `per_minute`.

    Whether what was tried exists plays no part, so nothing can be learned from being throttled.
    """

    def __init__(self, per_minute: int) -> None:
        super().__init__(per_minute)
