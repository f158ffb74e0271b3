"""The state of the way to another server, and when to try again (specification of timers: docs/design/0004)."""

from enum import StrEnum
from typing import Final

from .trouble import LASTING, Trouble

_DELAYS: Final[tuple[float, ...]] = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds between attempts
_LONG_SECONDS: Final = 3600.0  # an outage is a long one then, and there are fewer attempts:
_LATER: Final[tuple[float, ...]] = (120.0, 300.0, 600.0, 900.0)
FINAL_SECONDS: Final = 3600.0  #: what is said to be final is believed after so long


class Phase(StrEnum):
    """How a way is doing."""

    IDLE = "idle"  #: there is no connection, and nobody needs one
    CONNECTING = "connecting"  #: for the first time since it was idle
    UP = "up"
    STALLED = "stalled"  #: the connection broke, and the next is being made at once
    RETRYING = "retrying"  #: attempts fail, and more follow
    DEAD = "dead"  #: what looks final has stood for an hour; attempts go on, rarely


class LinkState:
    """What is known about the way to another server; times are Unix seconds."""

    __slots__ = ("_attempts", "_failing_since", "_is_long", "_lasting_since", "phase", "since", "trouble")

    def __init__(self, now: float) -> None:
        self.phase = Phase.IDLE
        self.since = now  #: when this phase began
        self.trouble: Trouble | None = None  #: the last one since there was a connection
        self._attempts = 0
        self._is_long = False
        self._failing_since: float | None = None
        self._lasting_since: float | None = None

    @property
    def is_broken(self) -> bool:
        """Whether something is wrong: neither connected, nor idle, nor about to connect as one does."""
        return self.phase in (Phase.STALLED, Phase.RETRYING, Phase.DEAD)

    def connecting(self, now: float) -> None:
        """An attempt begins."""
        if self.phase is Phase.IDLE:
            self._enter(Phase.CONNECTING, now)

    def connected(self, now: float) -> None:
        """The peer has authenticated us."""
        self._lasting_since = self.trouble = None
        self._begin_anew()
        self._enter(Phase.UP, now)

    def rest(self, now: float) -> None:
        """The connection is gone, or was not to be had, and nobody needs one."""
        self._begin_anew()
        self._enter(Phase.IDLE, now)

    def broke(self, trouble: Trouble, now: float) -> None:
        """The connection is gone, and somebody needs one."""
        self.trouble = trouble
        self._enter(Phase.STALLED, now)

    def failed(self, trouble: Trouble, now: float, jitter: float) -> float:
        """An attempt failed: in how many seconds to try again; `jitter` is a random number from 0 to 1."""
        self.trouble = trouble
        if trouble.cause not in LASTING:
            self._lasting_since = None
        elif self._lasting_since is None:
            self._lasting_since = now
        is_final = self._lasting_since is not None and now - self._lasting_since >= FINAL_SECONDS
        self._enter(Phase.DEAD if is_final else Phase.RETRYING, now)
        return self._pause(now) * (1 + jitter / 4)

    def _begin_anew(self) -> None:
        self._attempts, self._is_long, self._failing_since = 0, False, None

    def _pause(self, now: float) -> float:
        """People wait for the end of most outages; who is gone for long is not missed by the minute."""
        if self._failing_since is None:
            self._failing_since = now
        delays = _DELAYS
        if now - self._failing_since >= _LONG_SECONDS:
            delays = _LATER
            if not self._is_long:
                self._is_long, self._attempts = True, 0
        self._attempts += 1
        return delays[min(self._attempts, len(delays)) - 1]

    def _enter(self, phase: Phase, now: float) -> None:
        if phase is not self.phase:
            self.phase, self.since = phase, now
