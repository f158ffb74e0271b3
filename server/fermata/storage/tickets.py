"""Group commit: the open batch, who is asked before it is committed, and who waits for it."""

from collections.abc import Callable
from typing import Protocol

from twisted.logger import Logger

from ..core.records import Step
from ..core.release import ReleaseQueue
from .crash_points import CrashPoint
from .errors import StorageError

_log = Logger()

Gather = Callable[[], Step | None]

_SIZES = 12  # batches of up to 2**10 - 1 steps, and longer ones


class Clock(Protocol):
    """What a writer needs of a reactor."""

    def callLater(self, delay: float, callable: Callable[[], None], /) -> object:  # noqa: N802
        """Calls it `delay` seconds from now; with 0, at the end of this turn."""


class Tickets:
    """What both writers share: batches are numbered, and `durable` is the newest that is on disk or has failed."""

    def __init__(self, clock: Clock, crash: CrashPoint | None) -> None:
        self.durable = 0
        self._clock = clock
        self._crash = crash
        self._number = 1  # of the open batch
        self._open: list[Step] = []
        self._gathers: list[Gather] = []
        self._waiting: list[ReleaseQueue] = []
        self._turn_will_end = False
        self._closed = False
        #: called with a batch when those who waited have had everything up to it
        self.released: Callable[[int], object] = _nothing
        self.steps = 0  #: how many have been handed to the database
        self.lost_steps = 0  #: how many of them it did not keep
        self.batch_sizes = [0] * _SIZES  #: batches by the number of bits in how many steps they had
        self._lost_lately = 0

    @property
    def ticket(self) -> int:
        """The batch that holds what was submitted last."""
        return self._number if self._open else self._number - 1

    @property
    def next_ticket(self) -> int:
        """The batch that will hold what is submitted next."""
        return self._number

    @property
    def is_failing(self) -> bool:
        """Whether something of the last batch could not be kept."""
        return self._lost_lately > 0

    @property
    def waiting(self) -> int:
        """How many release queues wait for a commit."""
        return len(self._waiting)

    def submit(self, step: Step) -> int:
        """Puts a step into the open batch and returns that batch's number. Raises StorageError after `close`."""
        if not self._open:
            self._opened()
        self._open.append(step)
        step.ticket = self._number
        return self._number

    def before_commit(self, gather: Gather) -> None:
        """Asks once, right before the next commit, for a step that must be in it; by itself it makes no commit."""
        self._gathers.append(gather)

    def wait(self, queue: ReleaseQueue) -> None:
        """Calls `queue.advance(durable)` after the next commit."""
        self._waiting.append(queue)

    def _opened(self) -> None:
        if self._closed:
            raise StorageError("the database is closed")
        if not self._turn_will_end:
            self._turn_will_end = True
            self._clock.callLater(0, self._end_turn)

    def _end_turn(self) -> None:
        raise NotImplementedError

    def _take_batch(self) -> list[Step]:
        """Closes the open batch, with the steps that were to be gathered."""
        gathers, self._gathers = self._gathers, []
        for gather in gathers:
            try:
                step = gather()
            except Exception:
                _log.failure("What must be committed with a batch could not be gathered")
            else:
                if step is not None:
                    self._open.append(step)
        batch, self._open = self._open, []
        self._number += 1
        self.steps += len(batch)
        self.batch_sizes[min(len(batch).bit_length(), _SIZES - 1)] += 1
        return batch

    def _tell_failures(self, batch: list[Step]) -> None:
        """Says once that steps are being lost, and once that they are not any more."""
        failed = [step.error for step in batch if step.error is not None]
        if failed and not self._lost_lately:
            _log.error("Steps are lost, and those who caused them are told: {error}", error=failed[0])
        elif self._lost_lately and not failed:
            _log.warn("The database takes everything again; {count} steps were lost", count=self._lost_lately)
            self._lost_lately = 0
        self._lost_lately += len(failed)
        self.lost_steps += len(failed)
        for step in batch:
            if step.error is not None and step.lineage is not None:
                step.lineage.tell()

    def _release(self) -> None:
        """Lets everybody who waits have what is durable."""
        if self._crash is not None:
            self._crash("before-release")
        # What goes out can have more committed, for which those that had their turn already wait anew.
        durable = self.durable
        waiting, self._waiting = self._waiting, []
        for queue in waiting:
            self._advance(queue)
        self.released(durable)

    def _advance(self, queue: ReleaseQueue) -> None:
        while True:
            try:
                queue.advance(self.durable)
            except Exception:
                # An effect that fails has left its queue: those behind it must not be held up for ever.
                _log.failure("An effect failed")
            else:
                return


def _nothing(durable: int) -> None:
    """Nobody wants to know."""
