"""How often somebody may fail: a count for each key, forgotten over time."""

from collections.abc import Hashable
from typing import Final

_SECONDS: Final = 60.0
_KEYS_MAX: Final = 10_000


class Failures:
    """Failures by key (an address, an account, one with the other), at most `per_minute` of each; 0 is no limit.

    A bucket that leaks: each failure fills it by one, and it empties at the rate that is allowed. Whether what was
    tried exists plays no part, so nothing can be learned from being throttled.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def note(self, key: Hashable, now: float, weight: float = 1.0) -> None:
        """One more failure, of that weight."""
        if len(self._buckets) >= _KEYS_MAX:
            self._prune(now)
        self._buckets[key] = (self._level(key, now) + weight, now)

    def is_full(self, key: Hashable, now: float, weight: float = 1.0) -> bool:
        """Whether this key has failed too often to be heard now: one more failure of that weight would be too much."""
        return 0 < self._per_minute < self._level(key, now) + weight

    def _level(self, key: Hashable, now: float) -> float:
        level, since = self._buckets.get(key, (0.0, now))
        return max(0.0, level - (now - since) * self._per_minute / _SECONDS)

    def _prune(self, now: float) -> None:
        """Forgets those that are empty by now, and the older half if none is: memory is not the peer's to take."""
        kept = {key: bucket for key, bucket in self._buckets.items() if self._level(key, now) > 0}
        if len(kept) >= _KEYS_MAX:
            kept = dict(list(kept.items())[_KEYS_MAX // 2 :])
        self._buckets = kept
