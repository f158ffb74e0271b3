"""The writer of a database whose commits take time: a thread that takes one batch after the other."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..core.records import Step
from .batch import fail
from .crash_points import CrashPoint
from .tickets import Clock, Tickets

_log = Logger()

Batch = list[Step]


class Destination(Protocol):
    """What the thread writes to."""

    def write(self, batch: Batch, /) -> None:
        """Commits a batch, however long it takes: afterwards each step is kept or has its `error` set."""

    def hurry(self) -> None:
        """The server is stopping: `write` is not to wait for better times. Called from another thread."""

    def close(self) -> None:
        """Nothing more will be written."""


class ThreadWriter(Tickets):
    """Hands one batch at a time to a thread; what comes meanwhile gathers in the next."""

    def __init__(
        self,
        destination: Destination,
        clock: Clock,
        call_in_reactor: Callable[..., object],
        crash: CrashPoint | None,
    ) -> None:
        """`call_in_reactor` is the way back from the thread."""
        super().__init__(clock, crash)
        self._destination = destination
        self._call_in_reactor = call_in_reactor
        self._is_writing = False
        self._to_write: SimpleQueue[Batch | None] = SimpleQueue()
        self._written: SimpleQueue[Batch] = SimpleQueue()
        self._settling: list[tuple[int, Deferred[None]]] = []
        self._thread = Thread(target=self._run, name="database writer", daemon=True)
        self._thread.start()

    async def settled(self) -> None:
        """Returns when everything that was submitted before is committed, or has failed."""
        ticket = self.ticket
        if ticket > self.durable:
            settled: Deferred[None] = Deferred()
            self._settling.append((ticket, settled))
            await settled

    def close(self) -> None:
        """Commits and releases what is open, waiting for it, and takes nothing more."""
        self._destination.hurry()
        while True:
            if self._is_writing:
                self._committed(self._written.get())
            elif self._open:
                self._hand_over()
            else:
                break
        self._closed = True
        self._to_write.put(None)
        self._thread.join()
        self._destination.close()

    def _end_turn(self) -> None:
        self._turn_will_end = False
        if not self._is_writing:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._open:
            self._is_writing = True
            self._to_write.put(self._take_batch())

    def _run(self) -> None:
        while (batch := self._to_write.get()) is not None:
            try:
                self._destination.write(batch)
            except Exception as error:
                for step in batch:
                    fail(step, error)
            self._written.put(batch)
            self._call_in_reactor(self._one_is_written)

    def _one_is_written(self) -> None:
        try:
            batch = self._written.get_nowait()
        except Empty:  # `close` has already dealt with it
            return
        self._committed(batch)

    def _committed(self, batch: Batch) -> None:
        self._is_writing = False
        self.durable += 1
        self._tell_failures(batch)
        self._hand_over()  # first, so that the thread has something to do
        self._release()
        settling, self._settling = self._settling, []
        for ticket, settled in settling:
            if ticket <= self.durable:
                settled.callback(None)
            else:
                self._settling.append((ticket, settled))
