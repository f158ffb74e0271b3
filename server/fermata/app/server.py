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
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python.failure import Failure

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
from .config import Config
from .control import Commands, listen
from .data_directory import make_data_directory
from .errors import CommandError
from .first_account import make_first_account, tell
from .health import Health
from .logs import Log, log_commands
from .metrics import Metrics
from .notify import Supervisor
from .operations import Operations
from .other_servers import OtherServers
from .parts import Parts, new_id
from .s2s_commands import s2s_commands
from .stopping import StopStep, stop
from .stream_features import features_after, limits_before
from .web import site

T = TypeVar("T")
_log = Logger()
_YOUNG_OBJECTS = 20_000
_CANNOT_START = (StorageError, CommandError, CertificateError, ComponentError, PortError, OSError)


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
    gc.enable()


def in_thread(work: Callable[[], T]) -> Awaitable[T]:
    """Runs slow work beside the reactor."""
    return deferToThread(work)


class Server(Service):
    """Opens everything in `startService`, and closes it in the opposite order in `stopService`."""

    def __init__(self, config: Config, reactor: Any, log: Log) -> None:
        self._config, self._reactor, self._log = config, reactor, log
        self._started_at = 0.0
        self._control: IListeningPort | None = None
        self._is_opening = True

    def startService(self) -> None:
        """See IService. Ends the process, with words and before anybody was served, if something cannot be opened."""
        super().startService()  # type: ignore[no-untyped-call]
        gc.disable()  # until `tune_collector`: what a start makes stays, and with many rooms it makes much
        failed: list[Failure] = []
        try:
            self._open()
            Deferred.fromCoroutine(self._serve()).addErrback(lambda failure: self._cannot_serve(failure, failed))
        except _CANNOT_START as error:
            raise SystemExit(f"Fermata cannot start: {error}") from error
        self._is_opening = False
        if failed:
            if failed[0].check(*_CANNOT_START):
                raise SystemExit(f"Fermata cannot start: {failed[0].value}") from failed[0].value
            failed[0].raiseException()

    def _cannot_serve(self, failure: Failure, failed: list[Failure]) -> None:
        """With a remote database, that may be found out only when the process runs already."""
        failed.append(failure)
        if not self._is_opening:
            _log.critical("Fermata cannot start: {error}", error=failure.value)
            self._reactor.stop()

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
        shared = self._shared()
        self._listeners = ClientListeners(shared, config.limits.connections_per_address)
        self._others = OtherServers(config, self.parts.federating, self._reactor, self._turn)
        self._health = Health(self._database.writer, self._reactor)
        self._metrics = Metrics(
            self.parts, self._database.writer, self._listeners, shared.turn, self._identities, self._health
        )
        self._operations = Operations(self._reactor, self._health, Supervisor(), self._others.tls.files, self.reload)
        self._started_at = self._reactor.seconds()
        # From here on nobody else can be serving this data directory.
        self._control = listen(self._reactor, config.server.data_dir, self._commands())

    async def _serve(self) -> None:
        """Takes up what the process before this one has left, and only then opens ports."""
        config = self._config
        await self.parts.lasting.restore(config.server.data_dir)
        self.parts.services[Rebuilding].rebuild(self._database.recorded())
        self.parts.components.open(self._reactor, new_id, self._turn)
        await self._others.open()
        self._listeners.listen(self._reactor, config.c2s.listen, config.c2s.listen_direct_tls)
        self._operations.open(config.http.listen, site(self._metrics, self._health.trouble))
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))
        spawn(self._welcome())

    async def _welcome(self) -> None:
        try:
            words = await make_first_account(self._config, self.parts.services[Users])
        finally:
            tune_collector()
        self._say_ready()
        self._operations.ready("serving " + ", ".join(self._config.server.domains))
        if words is not None:
            tell(words)

    def reload(self) -> None:
        """Reads the certificates again (SIGHUP); if they cannot be used, those that were read before stay."""
        try:
            self._identities.reload()
            self._others.tls.reload()
        except CertificateError as error:
            _log.error("The certificates were not changed: {error}", error=error)
        else:
            _log.info("The certificates were read again")

    def _end(self, restarts: bool) -> None:
        if restarts:
            self._reactor.addSystemEventTrigger("after", "shutdown", start_again)
        self._reactor.stop()

    def stopService(self) -> Deferred[None]:
        """See IService."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(stop(self._stop_steps()))

    def _stop_steps(self) -> list[StopStep]:
        """Everything that is done when the server stops, in this order.

        Nobody new; nobody is heard any more; whoever must be told is told; all that was said is kept; then, and only
        then, each is told how far we got, and loses the connection.
        """
        parts, lasting = self.parts, self.parts.lasting
        return [
            StopStep("health, HTTP", self._operations.close),
            StopStep("listeners", self._listeners.stop_listening),
            StopStep("listeners for other servers", self._others.stop_listening),
            StopStep("input", self._listeners.stop_reading),
            StopStep("rooms", parts.services[ShuttingDown].farewell),
            StopStep("rooms' notes", parts.services[Rebuilding].stop),
            StopStep("writer", self._settle),
            StopStep("sessions", lasting.freeze),
            StopStep("clients: last acknowledgements, sockets", lambda: self._listeners.part_all(lasting.last_words)),
            StopStep("other servers", self._others.close),
            StopStep("components", lambda: parts.components.close(StreamError("system-shutdown"))),
            StopStep("what was written", self._turn.flush),
            StopStep("log of sessions", lasting.log.close),
            StopStep("command line", self._close_control),
            StopStep("database", self._database.close),
        ]

    async def _settle(self) -> None:
        """All that was taken in is durable, and what that has to say is said."""
        await self._database.writer.settled()
        await deferLater(self._reactor, 0, self._turn.flush)

    async def _close_control(self) -> None:
        if self._control is not None:
            stopped = self._control.stopListening()
            if stopped is not None:
                await stopped

    def _shared(self) -> Shared:
        config, database = self._config, self._database
        turn = self._turn = TurnWrites(self._reactor)
        self.parts.lasting.join(turn)
        secret = database.secret("of unknown accounts")
        policy = Policy(
            {domain: Realm(domain, secret, ITERATIONS) for domain in config.server.domains},
            config.c2s.require_tls,
            limits_before(),
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
        return {
            **running_commands(self.parts.services),
            **s2s_commands(self.parts.federating.federation, self._others.examination),
            **log_commands(self._log),
            "status": self._status,
        }

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
            "sessions_restored": parts.lasting.restored.resumable,
            "accounts_in_memory": len(parts.accounts),
            "rooms": sum(number for number, _ in rooms),
            "occupants": sum(people for _, people in rooms),
        }

    def _say_ready(self) -> None:
        config = self._config
        _log.info("Fermata {version} serves {domains}", version=__version__, domains=", ".join(config.server.domains))
