"""What was sent to another server and is in doubt, while its stream has no connection and may get one again.

It waits in front of the queue. A connection that goes on with the stream says which of it has arrived; if none does in
time, it is in doubt for good.
"""

from collections.abc import Callable
from typing import Final

from ..core.s2s.missed import Missed
from ..core.s2s.pair import Pair
from ..core.s2s.queue import OutboundQueue, Waiting
from ..core.s2s.resumable import Resumable
from ..host.origin import Timer
from .link_surroundings import Surroundings
from .server_trunk import ServerTrunk
from .undelivered import Undelivered

HOLD_SECONDS: Final = 5.0  #: who has not opened a stream gives the one who has so long to open the next
WAIT_SECONDS: Final = 10.0  #: so long a connection waits that is there, for one that goes on with the stream


class LinkSleep:
    """Of one pair (see server_trunk.Sleep)."""

    def __init__(
        self,
        pair: Pair,
        around: Surroundings,
        queue: OutboundQueue,
        undelivered: Undelivered,
        missed: Callable[[], Missed | None],
        use: Callable[[ServerTrunk], None],
    ) -> None:
        """`missed` is what is noted meanwhile; `use` is called with a connection that does not wait any longer."""
        self._around, self._queue, self._undelivered, self._missed, self._use = around, queue, undelivered, missed, use
        self.stream: Resumable | None = around.streams.opened(pair)  #: see Sleep
        self._waiting: list[ServerTrunk] = []
        self._timer: Timer | None = None

    def begin(self, stream: Resumable, entries: list[Waiting]) -> None:
        """A stream has lost its connection; the entries were sent on it, and not acknowledged."""
        stream.doubtful = entries
        if stream.direction.opened_here or entries:
            self.stream = stream
        self._queue.put_first(entries)

    @property
    def doubtful(self) -> frozenset[Waiting]:
        """What may have arrived, as the peer may yet say."""
        return frozenset() if self.stream is None else frozenset(self.stream.doubtful)

    def note(self, missed: Missed) -> None:
        """Notes that, as what was missed first."""
        for entry in reversed([] if self.stream is None else self.stream.doubtful):
            missed.note(entry.payload, entry.to, is_older=True)

    def arrived(self, entries: list[Waiting]) -> None:
        """See Sleep."""
        for entry in entries:
            entry.payload.has_arrived = True
            self._queue.discard(entry)
        self._around.spool.forget(entry.payload.spooled for entry in entries)

    def give_up(self) -> None:
        """Nobody will say what has arrived: it is sent again, unless a room can tell it."""
        stream, missed, now = self.stream, self._missed(), self._around.clock.seconds()
        if stream is None:
            return
        self.stream = None
        left = [entry for entry in reversed(stream.give_up()) if self._queue.discard(entry)]
        if missed is not None:
            left = [entry for entry in left if not missed.note(entry.payload, entry.to, is_older=True)]
        again = [self._undelivered.again(entry.payload, entry.to, now) for entry in reversed(left)]
        self._queue.put_first(entry for entry in again if entry is not None)
        if stream.direction.opened_here:
            self._around.streams.forget(stream)

    # -- connections that do not go on with it, or have not said so yet

    def holds_back(self, trunk: ServerTrunk) -> bool:
        """Whether a connection has to wait."""
        if self.stream is None or trunk.resumption.stream is self.stream:
            return False
        if trunk not in self._waiting:
            self._waiting.append(trunk)
        if self._timer is None:
            self._timer = self._around.clock.callLater(WAIT_SECONDS, self._time_is_up)
        return True

    def unresumed(self, trunk: ServerTrunk) -> None:
        """See Sleep."""
        self.give_up()
        self._use(trunk)

    def lost(self, trunk: ServerTrunk) -> None:
        """A connection is gone that may have waited."""
        if trunk in self._waiting:
            self._waiting.remove(trunk)
        if not self._waiting:
            self.close()

    @property
    def is_waited_for(self) -> bool:
        """Whether there is a connection that waits."""
        return bool(self._waiting)

    def make_do(self) -> bool:
        """We cannot go on with it, since we get nowhere: what waits will do, if anything does; returns whether."""
        does = self.stream is not None and self.stream.direction.opened_here and bool(self._waiting)
        if does:
            self.unresumed(self._waiting[0])
        return does

    def end(self, trunk: ServerTrunk) -> None:
        """That connection is the way from now on; others that we have made meanwhile are not needed."""
        self.stream = None
        waiting, self._waiting = self._waiting, []
        self.close()
        for other in waiting:
            if other is not trunk and other.connection.direction == "out":
                other.rest()

    def close(self) -> None:
        """Waits for nobody."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self) -> None:
        self._timer = None
        self.unresumed(self._waiting[0])
