"""Several servers in memory that federate: real connections, TLS and dialback, over pipes instead of sockets.

They share one clock. A way between two of them can be cut, refused, or swallow what is sent.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from fermata.app.config_tables import Config
from fermata.app.parts import new_id
from fermata.core.xmlstream import Limits
from fermata.host.federation import Cause, Pair, Trouble, Verdict
from fermata.net.s2s_connection import SharedByServers
from fermata.net.s2s_listeners import ServerListeners
from fermata.net.s2s_outgoing import Authenticate, OutgoingConnection, Verify
from fermata.net.server_tls import ServerTLS
from fermata.net.targets import Target
from fermata.net.turn_writes import TurnWrites

from .clock import OrderedClock
from .world import World

_EPOCH = 1_800_000_000.0


class OwnTimers:
    """The shared clock as one server sees it: what it has asked for ends with it."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._calls = clock, list[IDelayedCall]()
        self.seconds, self.advance, self.getDelayedCalls = clock.seconds, clock.advance, clock.getDelayedCalls

    def callLater(self, delay: float, call: Callable[..., object], *arguments: Any) -> Any:  # noqa: N802
        made = self._clock.callLater(delay, call, *arguments)
        self._calls = (
            [*(each for each in self._calls if each.active()), made] if len(self._calls) > 1000 else self._calls
        )
        self._calls.append(made)
        return made

    def end(self) -> None:
        """Nothing that it has asked for happens any more."""
        for call in self._calls:
            if call.active():
                call.cancel()


class Universe:
    """Servers by domain."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.clock = OrderedClock()
        self.clock.advance(_EPOCH)
        self.servers: list[FederatedWorld] = []
        self.pipes: list[Pipe] = []
        self._refused: set[frozenset[str]] = set()
        self._swallowed: set[frozenset[str]] = set()

    def server(self, domain: str, config: Config | None = None) -> "FederatedWorld":
        """One more server, for that domain and its rooms at `conference`."""
        config = config or Config()
        own = replace(
            config, server=replace(config.server, domains=(domain,)), s2s=replace(config.s2s, require_tls=False)
        )
        directory = self._directory / domain
        directory.mkdir()
        made = FederatedWorld(self, domain, directory, own)
        self.servers.append(made)
        return made

    def close(self) -> None:
        """All of them end."""
        for server in self.servers:
            server.close()

    def of(self, domain: str) -> "FederatedWorld | None":
        """The server that serves a domain."""
        return next((server for server in self.servers if server.is_up and server.parts.router.serves(domain)), None)

    # -- the ways between them

    def cut(self, one: str, other: str) -> None:
        """Every connection between two servers breaks, for both sides."""
        for pipe in self._between(one, other):
            pipe.cut()
        self.turn()

    def refuse(self, one: str, other: str) -> None:
        """The same, and no new one can be made."""
        self._refused.add(frozenset((one, other)))
        self.cut(one, other)

    def swallow(self, one: str, other: str) -> None:
        """From now on, what is sent between two servers gets lost, and nobody is told."""
        self._swallowed.add(frozenset((one, other)))
        for pipe in self._between(one, other):
            pipe.is_swallowing = True

    def heal(self, one: str, other: str) -> None:
        """New connections can be made; those that have lost something stay as they are."""
        self._refused.discard(frozenset((one, other)))
        self._swallowed.discard(frozenset((one, other)))

    def _between(self, one: str, other: str) -> "list[Pipe]":
        return [pipe for pipe in self.pipes if pipe.ends == frozenset((one, other))]

    def connect(self, here: "FederatedWorld", connection: OutgoingConnection, pair: Pair) -> Trouble | None:
        """Joins a connection to the server of a domain; else says why that cannot be."""
        there = self.of(pair.remote)
        ends = frozenset((here.domain, there.domain)) if there is not None else None
        if there is None or ends is None:
            return Trouble(Cause.NO_DOMAIN, f"there is no {pair.remote}")
        if ends in self._refused:
            return Trouble(Cause.REFUSED, f"{pair.remote} listens to nobody")
        accepted = there.listeners.buildProtocol(IPv4Address("TCP", "192.0.2.1", 40_000 + len(self.pipes)))
        assert accepted is not None
        pipe = Pipe(self.clock, ends, connection, accepted)
        self.pipes.append(pipe)
        pipe.is_swallowing = ends in self._swallowed
        pipe.join()
        return None

    # -- time

    def turn(self) -> None:
        """The turns of all reactors come to their end."""
        self.clock.advance(0)
        while sum(server.take_from_threads() for server in self.servers):
            self.clock.advance(0)

    def keep_alive(self) -> None:
        """Every client that is connected gives a sign of life."""
        for server in self.servers:
            server.own_clients_live()

    def skip(self, seconds: float) -> None:
        """Much time has passed, of which nobody has noticed more than that all clients live; see World."""
        self.clock.rightNow += seconds
        self.keep_alive()


class FederatedWorld(World):
    """One of them (see host.federation.Dialling for how it reaches the others)."""

    def __init__(self, universe: Universe, domain: str, directory: Path, config: Config) -> None:
        self.universe, self.domain, self.is_up = universe, domain, True
        super().__init__(directory, config)

    def _new_clock(self, now: float) -> Clock:
        if hasattr(self, "clock"):
            self.clock.end()  # type: ignore[attr-defined]
        return OwnTimers(self.universe.clock)  # type: ignore[return-value]

    def _opened(self, turn: TurnWrites) -> None:
        config, federating = self._config, self.parts.federating
        names = (*config.server.domains, *config.room_services())
        shared = SharedByServers(
            federating.federation,
            self,
            ServerTLS(self._directory / "cert.pem", self._directory / "key.pem", names, None),
            Limits(stanza_bytes=config.limits.stanza_bytes),
            False,
            config.s2s.bidi,
            30.0,
            self.clock,
            new_id,
            turn,
        )
        self._shared = shared
        self.listeners = ServerListeners(shared, 0)
        self.do(federating.open(self))

    def open(self, pair: Pair, failed: Callable[[Trouble], None]) -> Callable[[], None]:
        target = Target(pair.remote, "192.0.2.2", 5269, False)
        connection = OutgoingConnection(self._shared, pair, target, Authenticate(), failed, _nothing)
        self._connect(connection, pair, failed)

        def give_up() -> None:
            if connection.transport is not None and not connection.proof:
                connection.end_now(None)

        return give_up

    def verify(self, pair: Pair, stream_id: str, key: str, answered: Callable[[Verdict, str], None]) -> None:
        def failed(trouble: Trouble) -> None:
            answered(Verdict.ERROR, trouble.text)

        target = Target(pair.remote, "192.0.2.2", 5269, False)
        connection = OutgoingConnection(self._shared, pair, target, Verify(stream_id, key, answered), failed, _nothing)
        self._connect(connection, pair, failed)

    def _connect(self, connection: OutgoingConnection, pair: Pair, failed: Callable[[Trouble], None]) -> None:
        trouble = self.universe.connect(self, connection, pair)
        if trouble is not None:
            self.clock.callLater(0, failed, trouble)

    def turn(self) -> None:
        self.universe.turn()

    def keep_alive(self) -> None:
        self.universe.keep_alive()

    def skip(self, seconds: float) -> None:
        self.universe.skip(seconds)

    def own_clients_live(self) -> None:
        """Its own clients give a sign of life."""
        super().keep_alive()

    def die(self) -> None:
        """See World; the others lose their connections to it."""
        self.is_up = False
        super().die()
        self.clock.end()  # type: ignore[attr-defined]

    def _cut_everybody(self) -> None:
        super()._cut_everybody()
        for pipe in self.universe.pipes:
            if self.domain in pipe.ends:
                pipe.cut()

    def configure(self, change: Callable[[Config], Config]) -> None:
        """The next start has another configuration."""
        self._config = change(self._config)

    def rise(self) -> None:
        """See World."""
        self.is_up = True
        super().rise()
        self.turn()


class Pipe:
    """A connection between two servers, as both see it."""

    def __init__(self, clock: Clock, ends: frozenset[str], opened: Protocol, accepted: Protocol) -> None:
        self.ends, self.is_swallowing = ends, False
        self._opened, self._accepted = PipeEnd(self, clock, opened), PipeEnd(self, clock, accepted)
        self._opened.other, self._accepted.other = self._accepted, self._opened

    def join(self) -> None:
        """Both sides learn that they are connected."""
        self._accepted.protocol.makeConnection(self._accepted)
        self._opened.protocol.makeConnection(self._opened)

    def cut(self) -> None:
        """It breaks."""
        for end in (self._opened, self._accepted):
            end.lose(ConnectionLost())


class PipeEnd:
    """One side's transport (twisted.internet.interfaces.ITransport and IConsumer)."""

    other: "PipeEnd"

    def __init__(self, pipe: Pipe, clock: Clock, protocol: Protocol) -> None:
        self._pipe, self._clock, self.protocol = pipe, clock, protocol
        self._is_closed = self._is_held = False
        self._held: list[bytes] = []

    def write(self, octets: bytes) -> None:
        if not self._is_closed and not self._pipe.is_swallowing:
            self._clock.callLater(0, self.other.arrive, octets)

    def arrive(self, octets: bytes) -> None:
        self._held.append(octets)
        self._deliver()

    def _deliver(self) -> None:
        while self._held and not self._is_held and not self._is_closed:
            self.protocol.dataReceived(self._held.pop(0))

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert streaming

    def unregisterProducer(self) -> None:  # noqa: N802
        """Nobody is ever told to pause."""

    def pauseProducing(self) -> None:
        self._is_held = True

    def resumeProducing(self) -> None:
        self._is_held = False
        self._clock.callLater(0, self._deliver)

    def loseConnection(self) -> None:  # noqa: N802
        self._clock.callLater(0, self._close)

    def abortConnection(self) -> None:  # noqa: N802
        self._close()

    def _close(self) -> None:
        self.lose(ConnectionDone())
        if not self._pipe.is_swallowing:
            self._clock.callLater(0, self.other.lose, ConnectionDone())

    def lose(self, reason: Exception) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.protocol.connectionLost(Failure(reason))

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802
        """There is nothing to delay."""

    def getPeer(self) -> IPv4Address:  # noqa: N802
        return IPv4Address("TCP", "192.0.2.1", 5269)

    getHost = getPeer  # noqa: N815


def _nothing() -> None:
    """Nobody looks for another way meanwhile."""
