"""What the service manager is told (systemd's sd_notify protocol), if it has asked to be told anything."""

import os
import socket
from collections.abc import Mapping

from twisted.logger import Logger

_log = Logger()


class Supervisor:
    """Whoever has started the process; `watchdog_seconds` is how often it wants a sign of life, None for never."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A socket in Linux's abstract namespace is written with an @.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        interval = environment.get("WATCHDOG_USEC", "")
        is_for_us = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self.watchdog_seconds = (
            int(interval) / 1_000_000 if interval.isdecimal() and int(interval) and is_for_us else None
        )

    def tell(self, *assignments: str) -> None:
        """Sends variables, such as `READY=1`."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
                channel.sendto("\n".join(assignments).encode("utf-8"), self._address)
        except OSError as error:
            _log.warn("The service manager could not be told: {error}", error=error)
