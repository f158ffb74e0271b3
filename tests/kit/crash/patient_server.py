"""A server that calls people back when it gets SIGUSR1, and not half a minute after its start.

It is run in the place of `twistd`, with its arguments. So a test need not wait so long, and those who are called are
there by then.
"""

import signal

from twisted.internet.defer import Deferred
from twisted.scripts.twistd import run

from fermata.core.muc import calls
from fermata.services.come_back import ComeBack

begin = ComeBack.begin


async def begin_when_told(self: ComeBack) -> None:
    from twisted.internet import reactor

    told: Deferred[None] = Deferred()
    signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(told.callback, None))  # type: ignore[attr-defined]
    await told
    await begin(self)


if __name__ == "__main__":
    calls.FIRST_SECONDS = 0.0  # type: ignore[misc]
    ComeBack.begin = begin_when_told  # type: ignore[method-assign]
    run()
