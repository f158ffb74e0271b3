"""A whole server in memory: everything but sockets, with a clock that the test moves.

Clients are those of `wire`. What they send is dealt with before `send` returns, and what it brings about is there to be
read. A client that waits lets time pass until something comes, or until its patience is at an end.
"""

import atexit
import logging
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import mkdtemp
from typing import Any, TypeVar

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure

from fermata.app.config_tables import Config
from fermata.app.parts import Parts, new_id
from fermata.app.stream_features import features_after, limits_before
from fermata.core.c2s_stream import Policy
from fermata.core.records import CredentialsSaved, EntityMade, Step
from fermata.core.sasl.credentials import HASHES, ScramKeys, derive_keys
from fermata.core.sasl.mechanism import Realm
from fermata.core.xmlstream import Limits
from fermata.net.c2s import Shared
from fermata.net.certificates import ensure_certificate
from fermata.net.listeners import ClientListeners
from fermata.net.stream_connection import StreamConnection
from fermata.net.tls import Identities
from fermata.net.turn_writes import TurnWrites
from fermata.services.muc_rebuilding import Rebuilding
from fermata.services.registration import Registration
from fermata.storage.database import Database
from fermata.xmpp.jid import JID

from .clock import OrderedClock
from .people import PASSWORD
from .wire import Client

T = TypeVar("T")

_EPOCH = 1_800_000_000.0
_ITERATIONS = 8  # of hashing a password: enough to be wrong where it is wrong
_KEEPALIVE_SECONDS = 60.0
_WINDOW = 65_536  # bytes that may be under way to a client before the server is told to pause


class World:
    """One server; `config` is for what is inside, so its ports, files and URLs mean nothing here.

    `close` raises AssertionError if anything was logged as an error that the test has not taken with `errors`.
    """

    def __init__(self, directory: Path, config: Config | None = None) -> None:
        self._directory, self._config = directory, config or Config()
        self._log: list[str] = []
        self._listening = _Listening(self._log)
        self._number = 0
        now = _EPOCH
        shutil.copy(_empty_database(), self.file)
        self._open(now)

    @property
    def file(self) -> Path:
        """The database's."""
        return self._directory / f"fermata{self._number}.db"

    def _session_directory(self) -> Path:
        directory = self._directory / f"sessions{self._number}"
        directory.mkdir(exist_ok=True)
        return directory

    def _open(self, now: float) -> None:
        config = self._config
        self.clock = self._new_clock(now)
        self._from_threads: SimpleQueue[tuple[Callable[..., object], tuple[Any, ...]]] = SimpleQueue()
        self._links: list[MemoryLink] = []
        self.database = Database.open(f"sqlite:///{self.file}", "process", self.clock, self._call_later)
        self.parts = Parts(config, self.database, self.clock, self._spawn, lambda work: succeed(work()))
        turn = TurnWrites(self.clock)
        self.parts.lasting.join(turn)
        self.do(self.parts.lasting.restore(self._session_directory()))
        self.parts.services[Rebuilding].rebuild(self.database.recorded())
        secret = self.database.secret("of unknown accounts")
        policy = Policy(
            {domain: Realm(domain, secret, _ITERATIONS) for domain in config.server.domains},
            False,
            limits_before(),
            features_after(config, self.parts.discoverable),
            tls_available=False,
            registration=config.registration.terms(),
        )
        certificate, key = self._directory / "cert.pem", self._directory / "key.pem"
        ensure_certificate(certificate, key, ["localhost"])
        shared = Shared(
            policy,
            Limits(stanza_bytes=config.limits.stanza_bytes or sys.maxsize),
            config.limits.unauthenticated_seconds,
            Identities(certificate, key, config.server.domains),
            self.parts.login,
            self.parts.services[Registration],
            self.clock,
            new_id,
            turn,
        )
        self._listeners = ClientListeners(shared, config.limits.connections_per_address)
        self._listeners.listen(self.clock, [], [])
        self.parts.components.open(self.clock, new_id, turn)
        self._opened(turn)

    def _new_clock(self, now: float) -> Clock:
        clock = OrderedClock()
        clock.advance(now)
        return clock

    def _opened(self, turn: TurnWrites) -> None:
        """Everything is open; for those who have more to open."""

    def close(self) -> None:
        """Ends the world."""
        self._cut_everybody()
        self.database.close()
        self._listening.stop()
        assert not self._log, "\n".join(self._log)

    def crash(self) -> None:
        """The process is killed and started again: what was not on disk is gone, and so is every connection."""
        self.die()
        self.rise()

    def die(self) -> None:
        """The process is killed, and does not start again yet."""
        old, sessions, self._number = self.file, self._session_directory(), self._number + 1
        shutil.copytree(sessions, self._session_directory(), dirs_exist_ok=True)
        for suffix in ("", "-wal"):
            written = Path(f"{old}{suffix}")
            if written.exists():
                shutil.copy(written, f"{self.file}{suffix}")
        self._cut_everybody()
        self.database.close()
        self._log.clear()  # a killed process says nothing about its end

    def rise(self) -> None:
        """It is started again."""
        self._open(self.clock.seconds())

    def errors(self) -> list[str]:
        """What was logged as an error until now; it is not held against the test any more."""
        taken = list(self._log)
        self._log.clear()
        return taken

    # -- time

    def advance(self, seconds: float, silently: bool = False) -> None:
        """Lets time pass: everything that falls due is done at its own time, in order.

        Meanwhile each client that is connected sends a space now and then, so as not to be taken for dead; unless they
        are all to be silent.
        """
        until = self.clock.seconds() + seconds
        alive = self.clock.seconds() + _KEEPALIVE_SECONDS
        while (due := self._next_due(until)) is not None:
            self.clock.advance(max(0.0, due - self.clock.seconds()))
            if due >= alive and not silently:
                alive = due + _KEEPALIVE_SECONDS
                self.keep_alive()
        self.clock.advance(max(0.0, until - self.clock.seconds()))
        self.turn()

    def keep_alive(self) -> None:
        """Every client that is connected gives a sign of life."""
        for link in self._links:
            link.keep_alive()

    def skip(self, seconds: float) -> None:
        """Much time has passed, of which nobody has noticed anything yet: days are too long for `advance`."""
        self.clock.rightNow += seconds

    def turn(self) -> None:
        """The reactor's turn comes to its end, and with it what it has brought about."""
        self.clock.advance(0)
        while self.take_from_threads():
            self.clock.advance(0)

    def take_from_threads(self) -> bool:
        """Does one thing that a thread has asked for; whether there was any."""
        try:
            call, arguments = self._from_threads.get_nowait()
        except Empty:
            return False
        call(*arguments)
        return True

    def wait(self, seconds: float, for_: Callable[[], object]) -> bool:
        """Lets time pass until that is so, but not more than so many seconds."""
        until = self.clock.seconds() + seconds
        self.turn()
        while not for_():
            due = self._next_due(until)
            if due is None:
                return False
            self.clock.advance(max(0.0, due - self.clock.seconds()))
        return True

    def _next_due(self, until: float) -> float | None:
        calls = [call.getTime() for call in self.clock.getDelayedCalls()]
        due = min(calls, default=until)
        return due if calls and due <= until else None

    def _call_later(self, call: Callable[..., object], *arguments: Any) -> None:
        self._from_threads.put((call, arguments))

    def _spawn(self, work: Coroutine[Any, Any, T]) -> object:
        return Deferred.fromCoroutine(work).addErrback(lambda failure: self._log.append(failure.getTraceback()))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns; what it raises is raised."""
        outcome: list[T | Failure] = []
        Deferred.fromCoroutine(work).addBoth(outcome.append)
        self.turn()
        (result,) = outcome
        if isinstance(result, Failure):
            result.raiseException()
        return result  # type: ignore[return-value]

    # -- people

    def add_account(self, jid: str, password: str = PASSWORD) -> None:
        """Makes an account."""
        number = self.database.entities.new_number()
        credentials = [CredentialsSaved(number, *keys) for keys in _keys(password)]
        self.database.writer.submit(Step([EntityMade(number, JID.parse(jid), self.clock.seconds()), *credentials]))
        self.turn()

    def has_account(self, jid: str) -> bool:
        """Whether there is such an account."""
        numbers: list[int | None] = []
        Deferred.fromCoroutine(self.database.accounts.number(JID.parse(jid))).addCallback(numbers.append)
        return numbers != [None]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database holds now, as SQL asks for it."""
        self.turn()
        with closing(sqlite3.connect(self.file)) as database:
            return database.execute(sql).fetchall()

    def connect(self) -> "MemoryLink":
        """A new connection on which nothing was said."""
        connection = self._listeners.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40_000 + len(self._links)))
        assert connection is not None, "too many connections"
        return self._linked(connection)

    def _linked(self, connection: StreamConnection) -> "MemoryLink":
        link = MemoryLink(self, connection)
        self._links.append(link)
        return link

    def connect_component(self) -> "MemoryLink":
        """A new connection to where components connect, on which nothing was said."""
        return self._linked(self.parts.components.listeners.buildProtocol(None))

    def authenticated(self, address: str) -> Client:
        """A stream after authentication, before binding; the account is made if there is none."""
        jid = JID.parse(address)
        if not self.has_account(jid.bare):
            self.add_account(jid.bare)
        client = Client(self.connect(), jid.domain)
        client.open()
        client.authenticate(jid.local, PASSWORD)
        return client

    def login(self, address: str) -> Client:
        """A session with that full JID, or with a resource chosen by the server; it has sent no presence."""
        client = self.authenticated(address)
        client.bind(JID.parse(address).resource or None)
        return client

    def online(self, address: str, presence: str = "") -> Client:
        """A session that is available; `presence` is what its first presence contains."""
        client = self.login(address)
        client.available(presence)
        return client

    def befriend(self, *people: Client) -> None:
        """Subscribes two available people to each other's presence; nothing of it is left to read."""
        ann, ben = people
        for asking, asked in ((ann, ben), (ben, ann)):
            asking.send(f"<presence type='subscribe' to='{asked.bare}'/>")
            asked.send(f"<presence type='subscribed' to='{asking.bare}'/>")
        ann.sync()
        ben.sync()

    def _cut_everybody(self) -> None:
        for link in self._links:
            link.close()


class MemoryLink:
    """A connection without a socket (see `links.Link`), and the transport of the server's end of it."""

    def __init__(self, world: World, connection: StreamConnection) -> None:
        self._world, self._connection = world, connection
        self._arriving = b""  # sent by the server, not read by the client
        self._held = b""  # sent by the client while the server does not read
        self._is_held = self._is_paused = self._is_closed = False
        self._producer: Any = None
        connection.makeConnection(self)

    # The client's end

    def send(self, octets: bytes) -> None:
        """See Link."""
        if self._is_closed:
            raise ConnectionError("the server has closed")
        if self._is_held:
            self._held += octets
        else:
            self._connection.dataReceived(octets)
        self._world.turn()

    def keep_alive(self) -> None:
        """Sends a space, which is nothing but a sign of life (RFC 6120 §4.6.1)."""
        if not self._is_closed:
            self.send(b" ")

    def receive(self, deadline: float) -> bytes:
        """See Link: time passes in the world until something comes."""
        patience = max(0.0, deadline - time.monotonic())
        if not self._world.wait(patience, lambda: self._arriving or self._is_closed):
            raise TimeoutError("the server sent nothing more")
        octets, self._arriving = self._arriving, b""
        if self._is_paused and self._producer is not None:
            self._is_paused = False
            self._producer.resumeProducing()
        return octets

    def close(self) -> None:
        """See Link: the server loses the connection without a word."""
        self._lose(ConnectionLost())
        self._world.turn()

    # The server's end (twisted.internet.interfaces.ITransport and IConsumer)

    def write(self, octets: bytes) -> None:
        if self._is_closed:
            return
        self._arriving += octets
        if len(self._arriving) > _WINDOW and not self._is_paused and self._producer is not None:
            self._is_paused = True
            self._producer.pauseProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert streaming
        self._producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        self._producer = None

    def pauseProducing(self) -> None:
        self._is_held = True

    def resumeProducing(self) -> None:
        self._is_held = False
        if self._held:
            self._world.clock.callLater(0, self._let_in)

    def loseConnection(self) -> None:  # noqa: N802
        self._world.clock.callLater(0, self._lose, ConnectionDone())

    def abortConnection(self) -> None:  # noqa: N802
        self._lose(ConnectionLost())

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """There is nothing to delay."""

    def _let_in(self) -> None:
        octets, self._held = self._held, b""
        if octets and not self._is_closed:
            self._connection.dataReceived(octets)

    def _lose(self, reason: Exception) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._connection.connectionLost(Failure(reason))


class _Listening(logging.Handler):
    """Notes whatever the server logs as an error."""

    def __init__(self, log: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._log = log
        logging.getLogger("fermata").addHandler(self)
        globalLogPublisher.addObserver(self._observe)

    def emit(self, record: logging.LogRecord) -> None:
        self._log.append(self.format(record))

    def _observe(self, event: LogEvent) -> None:
        if event["log_level"] in (LogLevel.error, LogLevel.critical) and event["log_namespace"].startswith("fermata"):
            failure = event.get("log_failure")
            self._log.append(f"{event['log_format']} {failure.getTraceback() if failure else event}")

    def stop(self) -> None:
        logging.getLogger("fermata").removeHandler(self)
        globalLogPublisher.removeObserver(self._observe)


@cache
def _keys(password: str) -> list[ScramKeys]:
    return [derive_keys(password, hash, b"salt of sixteen!", _ITERATIONS) for hash in HASHES]


@cache
def _empty_database() -> Path:
    """A database with all tables, to be copied: making them takes longer than most tests."""
    directory = mkdtemp(prefix="fermata-world-")
    atexit.register(shutil.rmtree, directory)
    file = Path(directory) / "empty.db"
    Database.open(f"sqlite:///{file}", "process", Clock(), lambda call, *arguments: None).close()
    return file


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[[Config], World]]:
    """Makes worlds with a configuration of the test's own; in none of them may anything go wrong unnoticed."""
    made: list[World] = []

    def make(config: Config) -> World:
        directory = tmp_path / f"world{len(made)}"
        directory.mkdir()
        made.append(World(directory, config))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def world(worlds: Callable[[Config], World]) -> World:
    """A world as an empty configuration makes it."""
    return worlds(Config())
