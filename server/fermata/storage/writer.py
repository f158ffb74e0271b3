"""The writer of an embedded database: one commit at the end of each reactor turn that kept anything."""

from twisted.logger import Logger

from .batch import Batches
from .checkpoints import Checkpoints
from .crash_points import CrashPoint
from .tickets import Clock, Tickets

_log = Logger()


class TurnWriter(Tickets):
    """Commits in the reactor's own thread: with a local file, that is cheaper than handing it to another."""

    def __init__(self, batches: Batches, checkpoints: Checkpoints, clock: Clock, crash: CrashPoint | None) -> None:
        super().__init__(clock, crash)
        self._batches = batches
        self._checkpoints = checkpoints

    def flush(self) -> None:
        """Commits the open batch now. Queues that wait for it are advanced at the end of the turn all the same."""
        if self._open:
            batch = self._take_batch()
            self._batches.write(batch)
            self.durable += 1
            self._tell_failures(batch)
            self._checkpoints.committed()

    async def settled(self) -> None:
        """Returns, at once, when everything that was submitted is committed, or has failed."""
        self.flush()

    def close(self) -> None:
        """Commits and releases what is open, and takes nothing more. The database itself stays open."""
        while self._open or self._turn_will_end:
            self._end_turn()
        self._closed = True
        self._checkpoints.close()

    def _end_turn(self) -> None:
        self._turn_will_end = False
        self.flush()
        self._release()
