"""What `/metrics` tells: read from the parts of the server when somebody asks, so that nobody pays for it otherwise."""

import math
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from .. import __version__
from ..net.listeners import ClientListeners
from ..net.tls import Identities
from ..net.turn_writes import TurnWrites
from .exposition import Metric, by, counter, gauge, histogram
from .health import Health, Progress
from .parts import Parts


class MeasuredWriter(Progress, Protocol):
    """What a writer has counted; see `storage.tickets`."""

    steps: int
    lost_steps: int
    batch_sizes: list[int]

    @property
    def waiting(self) -> int:
        """How many release queues wait for a commit."""


class Metrics:
    """Knows where each figure is."""

    def __init__(
        self,
        parts: Parts,
        writer: MeasuredWriter,
        listeners: ClientListeners,
        turn: TurnWrites,
        identities: Identities,
        health: Health,
    ) -> None:
        self._parts, self._writer = parts, writer
        self._listeners, self._turn, self._identities, self._health = listeners, turn, identities, health
        self._started_at = time.time()

    def __iter__(self) -> Iterator[Metric]:
        yield by("version", "gauge", "fermata_info", "1, for this version.", {__version__: 1})
        yield gauge("fermata_healthy", "1 if /health says so.", int(not self._health.trouble()))
        yield from self._traffic()
        yield from self._people()
        yield from self._commits()
        help = "When the certificate of a domain expires, in seconds since 1970."
        yield by("domain", "gauge", "fermata_certificate_expiry_seconds", help, self._identities.expiries())
        yield from self._process()

    def _traffic(self) -> Iterator[Metric]:
        received = self._parts.from_client
        yield by(
            "kind",
            "counter",
            "fermata_stanzas_received_total",
            "Stanzas that clients sent, without those refused for their address.",
            {"message": received.messages, "presence": received.presences, "iq": received.iqs},
        )
        help = "Stanzas and acknowledgements written to clients; what is written in one go counts once."
        yield counter("fermata_writes_total", help, self._turn.written)
        help = "Attempts to log in that failed."
        yield counter("fermata_failed_logins_total", help, self._parts.login.failed_attempts)

    def _people(self) -> Iterator[Metric]:
        sessions = list(self._parts.sessions)
        rooms = [service.figures() for service in self._parts.room_services]
        yield gauge("fermata_connections", "Connections of clients.", len(self._listeners))
        yield gauge("fermata_sessions", "Sessions, with or without a connection.", len(sessions))
        help = "Sessions whose connection is lost, and which may come back."
        yield gauge("fermata_sessions_away", help, sum(session.link is None for session in sessions))
        yield gauge("fermata_rooms", "Rooms in use.", sum(number for number, _ in rooms))
        yield gauge("fermata_occupants", "Occupants of these rooms.", sum(people for _, people in rooms))
        help = "Sessions of the process before this one that could be resumed."
        yield counter("fermata_sessions_restored_total", help, self._parts.lasting.restored.resumable)
        queued = [session.queued for session in sessions]
        help = "Stanzas that wait for a client's connection to come back or to keep up."
        yield gauge("fermata_queued_stanzas", help, sum(waiting for waiting, _ in queued))
        help = "Stanzas that clients have not acknowledged yet."
        yield gauge("fermata_unacked_stanzas", help, sum(unacked for _, unacked in queued))

    def _commits(self) -> Iterator[Metric]:
        writer = self._writer
        *sizes, largest = writer.batch_sizes
        buckets = [(2**bits - 1, count) for bits, count in enumerate(sizes)]
        help = "Steps committed together."
        yield histogram("fermata_commit_steps", help, [*buckets, (math.inf, largest)], writer.steps)
        help = "Steps that the database did not keep; whoever caused them was told."
        yield counter("fermata_lost_steps_total", help, writer.lost_steps)
        help = "Rooms and sessions with something to say that waits for a commit."
        yield gauge("fermata_waiting_for_commit", help, writer.waiting)

    def _process(self) -> Iterator[Metric]:
        yield gauge("process_start_time_seconds", "When it started, in seconds since 1970.", self._started_at)
        yield counter("process_cpu_seconds_total", "Time that processors spent on it.", time.process_time())
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        yield gauge("process_max_fds", "Files and sockets that may be open.", soft)
        system = Path("/proc/self")
        if system.is_dir():  # on Linux
            yield gauge("process_open_fds", "Files and sockets that are open.", len(os.listdir(system / "fd")))
            pages = int((system / "statm").read_text().split()[1])
            help = "Memory that it has, in bytes."
            yield gauge("process_resident_memory_bytes", help, pages * resource.getpagesize())
