"""The end of the server as an administrator asks for it: everybody is told, and after a while it stops."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ..host.origin import Clock, Timer
from ..xmpp.errors import StanzaError
from .announcements import Announcements

_ANSWER_SECONDS: Final = 0.2  #: so that who asked for it is answered
_LONGEST: Final = 2_000  #: characters: everybody in a room is sent them once more
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class ShuttingDown:
    """Stops the server in time.

    Whoever runs it sets `on_due(restarts)`, which stops it, or has it start again; and `check_restart`, which raises
    if it can't.
    """

    def __init__(self, domains: Sequence[str], announcements: Announcements, clock: Clock) -> None:
        self._domains, self._announcements, self._clock = domains, announcements, clock
        self._timer: Timer | None = None
        #: why the server stops, as everybody in a room is told when it does; empty where they need not know
        self.announced = ""
        self.on_due: Callable[[bool], object] = _nothing
        self.check_restart: Callable[[], object] = _anything
        #: called one after the other when nobody is heard any more, and before what they cause is kept and sent: the
        #: place for whatever must be said because the server stops
        self.on_farewell: list[Callable[[], Awaitable[None]]] = []

    async def begin(
        self, delay: float = 0.0, text: str = "", restarts: bool = False, away_seconds: float = 0.0
    ) -> None:
        """Stops the server in `delay` seconds; who is online is told `text`, if it says anything.

        A stop that anything is said about, be it only for how long it is, puts everybody out of the rooms. With
        `restarts` the server starts again at once, and nobody falls out of a room. Who asks again means that instead.

        Raises what `check_restart` does, and StanzaError `not-acceptable` for a text that is too long.
        """
        if len(text) > _LONGEST:
            raise StanzaError("not-acceptable", f"that is more than {_LONGEST} characters")
        if restarts:
            self.check_restart()
        elif away_seconds:
            text = f"{text.strip() or 'The server stops.'} (It will be away for about {_in_words(away_seconds)}.)"
        if text.strip():
            for domain in self._domains:
                await self._announcements.announce(domain, text)
        self.announced = "" if restarts else text.strip()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._clock.callLater(max(delay, _ANSWER_SECONDS), self._stop, restarts)

    async def farewell(self) -> None:
        """The server stops now, for whatever reason."""
        for say in self.on_farewell:
            await say()

    def _stop(self, restarts: bool) -> None:
        self.on_due(restarts)


def _in_words(seconds: float) -> str:
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    number = round(seconds / size, 1)
    return f"{number:g} {unit}{'s' * (number != 1)}"


def _nothing(restarts: bool) -> None:
    """Nobody runs the server."""


def _anything() -> None:
    """Nobody knows why it could not start again."""
