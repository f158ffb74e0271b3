"""An address where connecting comes to no end, as behind a firewall that drops everything."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def stalled(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Gives the port: the queue of those who wait there to be accepted is full."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((address, port))
        listening.listen(0)
        taken: int = listening.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, taken))
        yield taken
