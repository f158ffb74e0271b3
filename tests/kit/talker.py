"""Servers that do not listen: each connection is told the same words, whatever it says itself."""

import socket
import threading
from contextlib import suppress


class Talker:
    """Accepts connections, says its words to each (none, if they are empty), and keeps them open until it is closed."""

    def __init__(self, words: str, address: str = "127.0.0.1", port: int = 0) -> None:
        self._words = words.encode()
        self._listening = socket.create_server((address, port))
        self.port: int = self._listening.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            with suppress(OSError):  # it may be gone already
                connection.sendall(self._words)

    def hang_up(self) -> None:
        """Ends all connections."""
        for connection in self._connections:
            connection.close()

    def close(self) -> None:
        """Ends all connections, and takes no more."""
        self._listening.shutdown(socket.SHUT_RDWR)  # which wakes the thread
        self._thread.join()
        self._listening.close()
        self.hang_up()
