"""Whether the server does what it is for: what it takes in is committed, and in time."""

from typing import Final, Protocol

from ..host.origin import Clock, Timer

STALL_SECONDS: Final = 10.0  #: a commit that takes longer is taken for stuck
_LOOK_SECONDS: Final = 2.0


class Progress(Protocol):
    """What a writer shows of its work; see `storage.tickets`."""

    durable: int

    @property
    def ticket(self) -> int:
        """The batch that holds what was submitted last."""

    @property
    def is_failing(self) -> bool:
        """Whether something of the last batch could not be kept."""


class Health:
    """Looks at the writer now and then, so that it knows since when nothing has moved."""

    def __init__(self, writer: Progress, clock: Clock) -> None:
        self._writer, self._clock = writer, clock
        self._seen = -1  # the newest batch that was durable at the last look
        self._moved_at = clock.seconds()
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begins to look."""
        self._look()
        self._timer = self._clock.callLater(_LOOK_SECONDS, self.start)

    def stop(self) -> None:
        """Looks no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    @property
    def is_moving(self) -> bool:
        """Whether the writer commits what it is given, or fails to in time."""
        self._look()
        return self._clock.seconds() - self._moved_at < STALL_SECONDS

    def trouble(self) -> str:
        """What is wrong, for an operator; nothing if all is well."""
        if not self.is_moving:
            return f"nothing was committed for {self._clock.seconds() - self._moved_at:.0f} seconds"
        if self._writer.is_failing:
            return "the last commit failed; the log says why"
        return ""

    def _look(self) -> None:
        writer = self._writer
        if writer.durable != self._seen or writer.ticket <= writer.durable:
            self._seen, self._moved_at = writer.durable, self._clock.seconds()
