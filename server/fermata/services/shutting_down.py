"""The end of the server as an administrator asks for it: everybody is told, and after a while it stops."""

from collections.abc import Callable, Sequence
from typing import Final

from ..host.origin import Clock, Timer
from .announcements import Announcements

_ANSWER_SECONDS: Final = 0.2  #: so that who asked for it is answered


class ShuttingDown:
    """Stops the server in time. `on_due` is what stops it, set by whoever runs it."""

    def __init__(self, domains: Sequence[str], announcements: Announcements, clock: Clock) -> None:
        self._domains, self._announcements, self._clock = domains, announcements, clock
        self._timer: Timer | None = None
        self.on_due: Callable[[], object] = _nothing

    async def begin(self, delay: float = 0.0, text: str = "") -> None:
        """Stops the server in `delay` seconds; who is online is told `text`, if it says anything.

        Who asks again means that time instead.
        """
        if text.strip():
            for domain in self._domains:
                await self._announcements.announce(domain, text)
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._clock.callLater(max(delay, _ANSWER_SECONDS), self._stop)

    def _stop(self) -> None:
        self.on_due()


def _nothing() -> None:
    """Nobody runs the server."""
