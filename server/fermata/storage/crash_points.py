"""Where a test may kill the server: named instants around a write, and the variable that picks one.

`FERMATA_CRASH_AT=after-commit:3` is `kill -9` at the third time that the writer passes `after-commit`. The points are
`in-batch` (some of a batch's rows are written), `before-commit`, `after-commit` and `before-release` (what the batch
held may be told, and has not been).
"""

import os
import signal
from collections.abc import Callable, Mapping

VARIABLE = "FERMATA_CRASH_AT"

CrashPoint = Callable[[str], None]


def chosen(environment: Mapping[str, str] = os.environ) -> CrashPoint | None:
    """What to call at each point, or None if nobody wants a crash."""
    wanted, _, count = environment.get(VARIABLE, "").partition(":")
    if not wanted:
        return None
    left = int(count or "1")

    def crash(point: str) -> None:
        nonlocal left
        if point == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return crash
