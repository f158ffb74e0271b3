"""A clock that a test moves, for whole servers: thousands of calls are made on it."""

from bisect import insort
from collections.abc import Callable

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock


class OrderedClock(Clock):
    """Twisted's, which sorts all that is due with every call that is made; here each goes to its place."""

    def callLater(  # noqa: N802
        self, delay: float, callable: Callable[..., object], *args: object, **kw: object
    ) -> IDelayedCall:
        call = DelayedCall(self.rightNow + delay, callable, args, kw, self.calls.remove, self._earlier, self.seconds)
        insort(self.calls, call)
        return call

    def advance(self, amount: float) -> None:
        self.rightNow += amount
        while self.calls and self.calls[0].time <= self.rightNow:
            call = self.calls.pop(0)
            if call.delayed_time:
                call.activate_delay()
                insort(self.calls, call)
            else:
                call.called = 1
                call.func(*call.args, **call.kw)

    def _earlier(self, call: DelayedCall) -> None:
        self.calls.remove(call)
        insort(self.calls, call)
