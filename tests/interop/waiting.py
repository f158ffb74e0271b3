"""Waiting until something is as it should be: woken by every change, with a deadline, never by the clock."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

DEADLINE = 20.0  # seconds; generous, since machines are shared

T = TypeVar("T")


class Watched:
    """Something that changes; `describe` shows it to whoever has waited in vain."""

    def __init__(self, describe: Callable[[], str]) -> None:
        self._describe = describe
        self._change = asyncio.Event()

    def changed(self) -> None:
        """Everybody who waits looks again."""
        self._change.set()
        self._change = asyncio.Event()

    async def until(self, look: Callable[[], T | None], wanted: str, seconds: float = DEADLINE) -> T:
        """What `look` finds, once it is not None. Raises AssertionError if it does not come in time."""
        try:
            async with asyncio.timeout(seconds):
                while (found := look()) is None:
                    await self._change.wait()
                return found
        except TimeoutError:
            raise AssertionError(f"no {wanted}; there is:\n{self._describe()}") from None


class Inbox(Watched):
    """Things that have arrived and nobody has asked for yet, oldest first."""

    def __init__(self) -> None:
        super().__init__(lambda: "\n".join(str(one) for one in self.waiting) or "(nothing)")
        self.waiting: list[object] = []

    def put(self, thing: object) -> None:
        """It has arrived."""
        self.waiting.append(thing)
        self.changed()

    async def take(self, fits: Callable[[Any], bool], wanted: str) -> object:
        """Removes the oldest that fits, as soon as there is one."""

        def look() -> object | None:
            return next((one for one in self.waiting if fits(one)), None)

        found = await self.until(look, wanted)
        self.waiting.remove(found)
        return found
