"""A server that is wrong on purpose: it says that a batch is durable, and writes it a while later.

It is run in the place of `twistd`, with its arguments. What it acks is lost if it is killed soon after.
"""

from twisted.scripts.twistd import run

from fermata.storage import embedded
from fermata.storage.writer import TurnWriter

_LATE_SECONDS = 10.0


class HastyWriter(TurnWriter):
    def flush(self) -> None:
        if self._open:
            batch = self._take_batch()
            self.durable += 1
            self._clock.callLater(_LATE_SECONDS, lambda: self._batches.write(batch))


if __name__ == "__main__":
    embedded.TurnWriter = HastyWriter  # type: ignore[attr-defined]
    run()
