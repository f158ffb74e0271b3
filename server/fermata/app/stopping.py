"""How the server stops: one list of steps, done in order, whatever happens in any of them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from twisted.logger import Logger

_log = Logger()


class StopStep(NamedTuple):
    """One step: what it is about, and what does it."""

    about: str
    act: Callable[[], Awaitable[object] | None]


async def stop(steps: Sequence[StopStep]) -> None:
    """Does one after the other; what goes wrong in one is logged, and keeps none of the others from being done."""
    for about, act in steps:
        try:
            waiting = act()
            if waiting is not None:
                await waiting
        except Exception:
            _log.failure("While the server stopped, this went wrong: {about}", about=about)
