"""A server that is wrong on purpose: whatever comes again, it takes for something new.

It is run in the place of `twistd`, with its arguments.
"""

from twisted.scripts.twistd import run

from fermata.core.muc import messages
from fermata.core.s2s.heard import Heard

if __name__ == "__main__":
    messages.repeated = lambda *arguments: None  # type: ignore[attr-defined]
    Heard.take = lambda *arguments: False  # type: ignore[method-assign]
    run()
