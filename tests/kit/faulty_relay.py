"""A link that loses messages, doubles them, or breaks: between a server and clients that do not use TLS."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

_FIRST, _LAST = b"<message", b"</message>"

#: Given the number of a message from the server (from 1 on) and the message: what goes on to the client.
Change = Callable[[int, bytes], bytes]


class BrokenLinkError(Exception):
    """Raised by a change: the connection ends here."""


class FaultyRelay:
    """In a context: listens on `port` and passes everything on, messages from the server through `change`."""

    def __init__(self, server_port: int, change: Change) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self._server_port, self._change = server_port, change
        self._messages = 0
        self._one_at_a_time = threading.Lock()
        self._sockets = [self._listener]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        _shut(*self._sockets)
        for thread in self._threads:
            thread.join(10)
        for each in self._sockets:
            each.close()

    def _run(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is shut
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets.append(server)
                self._run(self._pass_on, client, server)
                self._run(self._pass_messages, server, client)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        _shut(source, target)

    def _pass_messages(self, source: socket.socket, target: socket.socket) -> None:
        waiting = b""
        with contextlib.suppress(OSError, BrokenLinkError):
            while piece := source.recv(65536):
                with self._one_at_a_time:
                    ready, waiting = self._changed(waiting + piece)
                target.sendall(ready)
        _shut(source, target)

    def _changed(self, text: bytes) -> tuple[bytes, bytes]:
        """What can go on, and what has to wait for the rest of a message or of a tag."""
        ready = b""
        while (start := text.find(_FIRST)) >= 0:
            end = text.find(_LAST, start)
            if end < 0:
                return ready + text[:start], text[start:]
            end += len(_LAST)
            self._messages += 1
            ready += text[:start] + self._change(self._messages, text[start:end])
            text = text[end:]
        tag = text.rfind(b"<")
        complete = len(text) if tag < 0 or b">" in text[tag:] else tag
        return ready + text[:complete], text[complete:]


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
