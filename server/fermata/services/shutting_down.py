"""The end of the server as an administrator asks for it: everybody is told, and after a while it stops."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ..host.origin import Clock, Timer
from .announcements import Announcements

_ANSWER_SECONDS: Final = 0.2  #: so that who asked for it is answered


class ShuttingDown:
    """Stops the server in time.

    Whoever runs it sets `on_due(restarts)`, which stops it, or has it start again; and `check_restart`, which raises
    if it can't.
    """

    def __init__(self, domains: Sequence[str], announcements: Announcements, clock: Clock) -> None:
        self._domains, self._announcements, self._clock = domains, announcements, clock
        self._timer: Timer | None = None
        self.on_due: Callable[[bool], object] = _nothing
        self.check_restart: Callable[[], object] = _anything
        #: called one after the other when nobody is heard any more, and before what they cause is kept and sent: the
        #: place for whatever must be said because the server stops
        self.on_farewell: list[Callable[[], Awaitable[None]]] = []

    async def begin(self, delay: float = 0.0, text: str = "", restarts: bool = False) -> None:
        """Stops the server in `delay` seconds; who is online is told `text`, if it says anything.

        With `restarts` it starts again at once. Raises what `check_restart` does.

        Who asks again means that time instead.
        """
        if restarts:
            self.check_restart()
        if text.strip():
            for domain in self._domains:
                await self._announcements.announce(domain, text)
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._clock.callLater(max(delay, _ANSWER_SECONDS), self._stop, restarts)

    async def farewell(self) -> None:
        """The server stops now, for whatever reason."""
        for say in self.on_farewell:
            await say()

    def _stop(self, restarts: bool) -> None:
        self.on_due(restarts)


def _nothing(restarts: bool) -> None:
    """Nobody runs the server."""


def _anything() -> None:
    """Nobody knows why it could not start again."""
