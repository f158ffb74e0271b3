"""The network between servers, with its faults: whatever goes through it can be cut, held up or turned away."""

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Self

_POLL = 0.2  # seconds


class Relay:
    """In a context: passes on what comes to some addresses, each with the one that it stands for, at the same port."""

    def __init__(self, targets: Mapping[str, str], port: int) -> None:
        self._targets = targets
        self._port = port
        self._listening: list[socket.socket] = []
        self._lock = threading.Lock()
        self._joined: list[tuple[socket.socket, socket.socket]] = []
        self._over = threading.Event()
        self._passing = threading.Event()
        self._passing.set()
        self._threads: list[threading.Thread] = []
        self._attempts = 0
        self._attempted = threading.Condition()
        self._turns_away = False

    def __enter__(self) -> Self:
        for address, target in self._targets.items():
            listening = socket.create_server((address, self._port), backlog=100)
            self._listening.append(listening)
            self._run(self._accept, listening, target)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._passing.set()
        for listening in self._listening:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)
        self.cut()  # what was just being accepted

    def cut(self) -> None:
        """Lose all connections, as when somebody in between resets them."""
        with self._lock:
            joined, self._joined = self._joined, []
        for each in [end for ends in joined for end in ends]:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                each.shutdown(socket.SHUT_RD)
            each.close()

    def hold(self) -> None:
        """Pass nothing on, and say nothing of it."""
        self._passing.clear()

    def go_on(self) -> None:
        """Pass everything on, what was held up first."""
        self._passing.set()

    def turn_away(self) -> None:
        """Lose all connections, and every further one as soon as it is made."""
        self._turns_away = True
        self.cut()

    def let_in(self) -> None:
        """Take connections again."""
        self._turns_away = False

    def wait_for_attempts(self, number: int, timeout: float = 30.0) -> None:
        """Return when so many more connections have been tried."""
        with self._attempted:
            wanted = self._attempts + number
            assert self._attempted.wait_for(lambda: self._attempts >= wanted, timeout), "nobody tries to connect"

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket, target: str) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = listening.accept()
                with self._attempted:
                    self._attempts += 1
                    self._attempted.notify_all()
                if self._turns_away:
                    near.close()
                    continue
                try:
                    far = socket.create_connection((target, self._port))
                except ConnectionRefusedError:  # nobody is there: as somebody who turns away would
                    near.close()
                    continue
                with self._lock:
                    self._joined.append((near, far))
                self._run(self._pass_on, near, far)
                self._run(self._pass_on, far, near)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):  # cut
            while not self._over.is_set():
                if select.select([source], [], [], _POLL)[0]:
                    octets = source.recv(65536)
                    self._passing.wait()
                    if not octets:
                        break
                    target.sendall(octets)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
