"""A server's storage that writes until it is killed: `python -m kit.crash_child URL DURABILITY`.

Every turn takes in a few messages; each is told to the outside (a line on standard output) when it may be, and the
counter `h` of one session goes into the same transaction. So what was told must be in the archive afterwards, nothing
may be missing in between, and `h` must be the number of messages there are.
"""

import os
import sys

from fermata.core.records import EntityMade, HandledSaved, Step
from kit.databases import Opened, Outbox, Place, message

SESSION, OWNER = "session", 1
MOST_UNTOLD = 50


class Telling(list[str]):
    """What came out, told at once and counted."""

    told = 0

    def append(self, text: str) -> None:
        self.told += 1
        try:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(1)  # nobody listens any more: the test has failed


def main(url: str, durability: str) -> None:
    """Never returns by itself."""
    opened = Opened.at(Place(url, "power" if durability == "power" else "process"))
    outbox = Outbox(opened)
    outbox.sent = telling = Telling()
    opened.keep(EntityMade(OWNER, "romeo@a.example", 1.0))
    taken = 0

    def count() -> Step:
        return Step([HandledSaved(SESSION, OWNER, taken, 1.0)])

    def is_bearable() -> bool:
        """Clients wait for answers, too."""
        return taken - telling.told < MOST_UNTOLD

    while True:
        opened.database.writer.before_commit(count)
        for _ in range(taken % 5 + 1):
            taken += 1
            outbox.send(opened.keep(message(opened, str(taken), OWNER)), str(taken))
        opened.turns.end_turn()
        opened.turns.until(is_bearable)


if __name__ == "__main__":
    main(*sys.argv[1:])
