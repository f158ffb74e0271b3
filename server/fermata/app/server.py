"""A running server: its parts with ports, a process and an order in which it starts and stops."""

import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from .. import __version__
from ..core.c2s_stream import Policy
from ..core.sasl.mechanism import Realm
from ..core.xmlstream import Limits
from ..net.c2s import Shared
from ..net.certificates import ensure_certificate
from ..net.listeners import ClientListeners
from ..net.ports import PortError
from ..net.tls import CertificateError, Identities
from ..net.turn_writes import TurnWrites
from ..services.kept_accounts import ITERATIONS
from ..services.muc_rebuilding import Rebuilding
from ..services.registration import Registration
from ..services.shutting_down import ShuttingDown
from ..services.users import Users
from ..storage.database import Database
from ..storage.errors import StorageError
from ..xmpp.errors import StreamError
from .again import check_can_start_again, start_again
from .commands import running_commands
from .component_import import ComponentError
from .config import Config, without_effect
from .control import Commands, listen
from .data_directory import make_data_directory
from .errors import CommandError
from .first_account import make_first_account, tell
from .health import Health
from .logs import Log, log_commands
from .metrics import Metrics
from .notify import Supervisor
from .operations import Operations
from .parts import Parts, new_id
from .stream_features import features_after, limits_before
from .web import site

T = TypeVar("T")
_log = Logger()
_YOUNG_OBJECTS = 20_000


def spawn(work: Coroutine[Any, Any, None]) -> object:
    """Starts a coroutine; what it raises is a bug, and is logged."""
    deferred = Deferred.fromCoroutine(work)
    deferred.addErrback(lambda failure: _log.failure("a task failed", failure))
    return deferred


def tune_collector() -> None:
    """What was made at the start stays: the collector need not look at it again, nor as often as it does by default.

    Nothing on the path of a stanza is in a reference cycle, so hardly anything is ever found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)


def in_thread(work: Callable[[], T]) -> Awaitable[T]:
    """Runs slow work beside the reactor."""
    return deferToThread(work)


class Server(Service):
    """Opens everything in `startService`, and closes it in the opposite order in `stopService`."""

    def __init__(self, config: Config, reactor: Any, log: Log) -> None:
        self._config, self._reactor, self._log = config, reactor, log
        self._started_at = 0.0
        self._control: IListeningPort | None = None

    def startService(self) -> None:
        """See IService. Ends the process, with words and before anybody was served, if something cannot be opened."""
        super().startService()  # type: ignore[no-untyped-call]
        try:
            self._open()
        except (StorageError, CommandError, CertificateError, ComponentError, PortError, OSError) as error:
            raise SystemExit(f"Fermata cannot start: {error}") from error
        spawn(self._welcome())

    def _open(self) -> None:
        config = self._config
        make_data_directory(config.server.data_dir)
        if ensure_certificate(config.tls.certificate, config.tls.key, config.certificate_names()):
            _log.info("A self-signed certificate was made: {path}", path=config.tls.certificate)
        self._identities = Identities(config.tls.certificate, config.tls.key, config.server.domains)
        self._database = Database.open(
            config.storage.url, config.storage.durability.value, self._reactor, self._reactor.callFromThread
        )
        self.parts = Parts(config, self._database, self._reactor, spawn, in_thread)
        ending = self.parts.services[ShuttingDown]
        ending.on_due, ending.check_restart = self._end, lambda: check_can_start_again(os.environ)
        self.parts.services[Rebuilding].rebuild(self._database.recorded())
        self._control = listen(self._reactor, config.server.data_dir, self._commands())
        shared = self._shared()
        self.parts.components.open(self._reactor, new_id, shared.turn)
        self._listeners = ClientListeners(shared, config.limits.connections_per_address)
        self._listeners.listen(self._reactor, config.c2s.listen, config.c2s.listen_direct_tls)
        health = Health(self._database.writer, self._reactor)
        metrics = Metrics(self.parts, self._database.writer, self._listeners, shared.turn, self._identities, health)
        self._operations = Operations(self._reactor, health, Supervisor(), self._identities, self.reload)
        self._operations.open(config.http.listen, site(metrics, health.trouble))
        self._started_at = self._reactor.seconds()
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))

    async def _welcome(self) -> None:
        words = await make_first_account(self._config, self.parts.services[Users])
        tune_collector()
        self._say_ready()
        self._operations.ready("serving " + ", ".join(self._config.server.domains))
        if words is not None:
            tell(words)

    def reload(self) -> None:
        """Reads the certificates again (SIGHUP); if they cannot be used, those that were read before stay."""
        try:
            self._identities.reload()
        except CertificateError as error:
            _log.error("The certificates were not changed: {error}", error=error)
        else:
            _log.info("The certificates were read again")

    def _end(self, restarts: bool) -> None:
        if restarts:
            self._reactor.addSystemEventTrigger("after", "shutdown", start_again)
        self._reactor.stop()

    def stopService(self) -> Deferred[None]:
        """See IService: ports first, then connections, then the database, so that nothing acked is lost."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._operations.close()
        await self._listeners.stop_listening()
        self._listeners.end_all(StreamError("system-shutdown"))
        await self.parts.components.close(StreamError("system-shutdown"))
        await self.parts.services[Rebuilding].stop()
        self._turn.flush()
        if self._control is not None:
            stopped = self._control.stopListening()
            if stopped is not None:
                await stopped
        self._database.close()

    def _shared(self) -> Shared:
        config, database = self._config, self._database
        turn = self._turn = TurnWrites(self._reactor)
        # What a commit has released goes out in the same turn.
        database.writer.released = turn.flush
        secret = database.secret("of unknown accounts")
        policy = Policy(
            {domain: Realm(domain, secret, ITERATIONS) for domain in config.server.domains},
            config.c2s.require_tls,
            limits_before(config),
            features_after(config, self.parts.discoverable),
            registration=config.registration.terms(),
        )
        return Shared(
            policy,
            Limits(stanza_bytes=config.limits.stanza_bytes or sys.maxsize),
            config.limits.unauthenticated_seconds,
            self._identities,
            self.parts.login,
            self.parts.services[Registration],
            self._reactor,
            new_id,
            turn,
        )

    def _commands(self) -> Commands:
        return {**running_commands(self.parts.services), **log_commands(self._log), "status": self._status}

    def _status(self) -> dict[str, Any]:
        parts = self.parts
        rooms = [service.figures() for service in parts.room_services]
        return {
            "version": __version__,
            "pid": os.getpid(),
            "uptime_seconds": self._reactor.seconds() - self._started_at,
            "connections": len(self._listeners),
            "sessions": len(parts.sessions),
            "sessions_available": sum(session.priority is not None for session in parts.sessions),
            "sessions_waiting": sum(session.link is None for session in parts.sessions),
            "accounts_in_memory": len(parts.accounts),
            "rooms": sum(number for number, _ in rooms),
            "occupants": sum(people for _, people in rooms),
        }

    def _say_ready(self) -> None:
        config = self._config
        _log.info("Fermata {version} serves {domains}", version=__version__, domains=", ".join(config.server.domains))
        idle = without_effect(config)
        if idle:
            _log.info("These settings do nothing yet in this version: {settings}", settings="; ".join(idle))
