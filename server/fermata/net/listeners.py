"""Where clients come in, and who of them has fallen silent."""

from collections.abc import Callable
from typing import Final

from ..host.sessions import Session
from ..xmpp.errors import StreamError
from .c2s import ClientConnection, Shared
from .stream_listeners import StreamListeners
from .tls import TLSForStream

_PING_AFTER: Final = 5  #: minutes without a byte from the peer, after which it is asked for one
_GONE_AFTER: Final = 6  #: and after which it is taken for dead


class ClientListeners(StreamListeners[ClientConnection]):
    """Makes a connection for each client, and keeps an eye on all of them."""

    def __init__(self, shared: Shared, per_address: int) -> None:
        super().__init__(shared.clock, TLSForStream(shared.identities), per_address)
        self._shared = shared

    def _accept(self, host: str, port: str) -> ClientConnection:
        return ClientConnection(self._shared, host, self._gone)

    def stop_reading(self) -> None:
        """Nobody is heard any more."""
        for connection in list(self._connections):
            connection.stop_reading()

    def part_all(self, last_words: Callable[[Session], str | None]) -> None:
        """Closes every connection, since the process is about to end; see `ClientConnection.part`."""
        for connection in list(self._connections):
            connection.part(last_words)

    def _tend(self, connection: ClientConnection) -> None:
        """Asks who has been silent for long whether he is there, and lets go of who does not answer."""
        super()._tend(connection)
        if connection.quiet >= _GONE_AFTER:
            connection.end(StreamError("connection-timeout"))
        elif connection.quiet == _PING_AFTER:
            connection.ask()
