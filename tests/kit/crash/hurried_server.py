"""A server that does in seconds, with accounts in rooms, what others do in minutes: it leaves, and asks after a start.

It is run in the place of `twistd`, with its arguments.
"""

from twisted.scripts.twistd import run

from fermata.core.guardian import guardian
from fermata.core.standin import from_client, standin

GRACE = 3.0

if __name__ == "__main__":
    standin.GRACE_SECONDS = from_client.GRACE_SECONDS = GRACE  # type: ignore[misc]
    guardian.START_SPREAD = 1.0  # type: ignore[misc]
    # An ejabberd that has just failed to connect here loses its answers for as long as it makes no other attempt.
    guardian.ANSWER_SECONDS = 2.0  # type: ignore[misc]
    guardian._UNKNOWN_PAUSES = (2.0,)  # type: ignore[misc,assignment]
    run()
