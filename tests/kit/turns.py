"""A reactor in slow motion: its turns are run one at a time, and a coroutine to its end, by the test itself."""

from collections.abc import Callable, Coroutine
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

Result = TypeVar("Result")

_PATIENCE_SECONDS = 60.0


class Turns:
    """What storage wants of a reactor: `callLater` for the end of the turn, and a way in from other threads."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[..., object], tuple[Any, ...]]] = SimpleQueue()

    def callLater(self, delay: float, call: Callable[..., object], *arguments: Any) -> None:  # noqa: N802
        assert delay == 0
        self._calls.put((call, arguments))

    def call_in_reactor(self, call: Callable[..., object], *arguments: Any) -> None:
        self._calls.put((call, arguments))

    def end_turn(self) -> None:
        """Runs what was waiting for the end of this turn, and nothing that it brings about."""
        for _ in range(self._calls.qsize()):
            self._run_next()

    def until(self, condition: Callable[[], object]) -> None:
        """Runs turns until the condition holds."""
        while not condition():
            self._run_next()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Runs turns until the coroutine has ended, and returns or raises what it ended with."""
        ended: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(ended.append)
        self.until(lambda: ended)
        if isinstance(ended[0], Failure):
            ended[0].raiseException()
        result: Result = ended[0]
        return result

    def _run_next(self) -> None:
        try:
            call, arguments = self._calls.get(timeout=_PATIENCE_SECONDS)
        except Empty:
            raise AssertionError("nothing happens any more") from None
        call(*arguments)
