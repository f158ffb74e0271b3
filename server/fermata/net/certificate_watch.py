"""Notices that certificates were replaced, so that nobody has to tell the server."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ..host.origin import Clock, Timer

LOOK_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 2.0  #: a certificate and its key are not replaced in the same instant

_State = tuple[tuple[int, int, int] | None, ...]


class CertificateWatch:
    """Calls `changed` when one of the files is another than before, and none has changed for a moment.

    `files` says which files there may be; they may come and go.
    """

    def __init__(self, files: Callable[[], Sequence[Path]], clock: Clock, changed: Callable[[], None]) -> None:
        self._files, self._clock, self._changed = files, clock, changed
        self._known = self._last = self._state()
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begins to look."""
        self._timer = self._clock.callLater(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Looks no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _look(self) -> None:
        state = self._state()
        is_settled, self._last = state == self._last, state
        if state != self._known and is_settled:
            self._known = state
            self._changed()
        pause = SETTLE_SECONDS if state != self._known else LOOK_SECONDS
        self._timer = self._clock.callLater(pause, self._look)

    def _state(self) -> _State:
        return tuple(_state_of(path) for path in self._files())


def _state_of(path: Path) -> tuple[int, int, int] | None:
    """None if it is not there; a link is followed."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
