"""A server that is wrong on purpose: after a crash it knows nothing of what those elsewhere may have missed.

It is run in the place of `twistd`, with its arguments.
"""

from twisted.scripts.twistd import run

from fermata.services.limbo_memory import LimboMemory

if __name__ == "__main__":
    LimboMemory._assume = lambda *arguments: None  # type: ignore[assignment, method-assign]
    run()
