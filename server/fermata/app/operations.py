"""What an operator sees of a running server, and what looks after it: HTTP, the service manager, new certificates."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IListeningPort

from ..net.certificate_watch import CertificateWatch
from ..net.ports import open_port
from .health import Health
from .notify import Supervisor
from .web import QuietSite


class Operations:
    """Beside the server's own work. `files` are those with certificates, which `reload` reads again."""

    def __init__(
        self,
        reactor: Any,
        health: Health,
        supervisor: Supervisor,
        files: Callable[[], list[Path]],
        reload: Callable[[], None],
    ) -> None:
        self._reactor, self._health, self._supervisor = reactor, health, supervisor
        self._certificates = CertificateWatch(files, reactor, reload)
        self._ports: list[IListeningPort] = []

    def open(self, endpoints: Sequence[str], site: QuietSite) -> None:
        """Begins. Raises PortError."""
        self._ports = [open_port(self._reactor, text, site) for text in endpoints]
        self._health.start()
        self._certificates.start()

    def ready(self, words: str) -> None:
        """The server serves; `words` say whom, to whoever looks at the service."""
        self._supervisor.tell("READY=1", f"STATUS={words}")
        self._sign_of_life()

    async def close(self) -> None:
        """Ends, first of all that ends."""
        self._supervisor.tell("STOPPING=1")
        self._certificates.stop()
        self._health.stop()
        for port in self._ports:
            stopped = port.stopListening()
            if stopped is not None:
                await stopped

    def _sign_of_life(self) -> None:
        """Half as often as would do (see sd_watchdog_enabled), and not at all while nothing is committed."""
        interval = self._supervisor.watchdog_seconds
        if interval is not None:
            if self._health.is_moving:
                self._supervisor.tell("WATCHDOG=1")
            self._reactor.callLater(interval / 2, self._sign_of_life)
