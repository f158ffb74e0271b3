"""People on two healthy servers who talk all the while that somebody misbehaves: what that costs others, they feel."""

import threading
import time
from typing import Self

from kit.bystanders import Bystanders

LIMIT = 2.0  # seconds that a message there and one back may take; generous, since machines are shared
DEADLINE = 30.0  # seconds for any number of exchanges
PAUSE = 0.01  # seconds between two


class Calm:
    """In a context: two people talk, and nothing else comes to them; each exchange has to be quick."""

    def __init__(self, both: Bystanders) -> None:
        self.seconds: list[float] = []
        self._both = both
        self._over = threading.Event()
        self._heard = threading.Condition()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def __enter__(self) -> Self:
        self._both.talk()  # connects the servers
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._thread.join()
        if self._failure is not None:
            raise AssertionError("the others were disturbed") from self._failure
        if problem[0] is None:
            self._exchange()
            assert max(self.seconds) < LIMIT, f"the others had to wait for {max(self.seconds):.1f} s"

    def _talk(self) -> None:
        try:
            while not self._over.wait(PAUSE):
                self._exchange()
        except BaseException as failure:
            with self._heard:
                self._failure = failure
                self._heard.notify_all()

    def _exchange(self) -> None:
        began = time.monotonic()
        self._both.talk()
        with self._heard:
            self.seconds.append(time.monotonic() - began)
            self._heard.notify_all()

    def exchanges(self, number: int) -> None:
        """Return after so many more."""
        with self._heard:
            wanted = len(self.seconds) + number
            self._heard.wait_for(lambda: len(self.seconds) >= wanted or self._failure is not None, DEADLINE)
            came = len(self.seconds) >= wanted
        assert came, f"the others did not get on: {self._failure!r}"

    @property
    def p99(self) -> float:
        """Seconds that 99 of 100 exchanges have not exceeded."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]
