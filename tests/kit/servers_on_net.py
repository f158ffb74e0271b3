"""Servers on a network without sockets: their connections to each other with real TLS, and trunks that take note."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock

from fermata.core.s2s.outgoing import Authenticate, Purpose, Verify
from fermata.core.s2s.pair import Pair, Verdict
from fermata.core.s2s.trouble import Trouble
from fermata.core.xmlstream import Limits
from fermata.host.federation import Connection
from fermata.net.s2s_connection import SharedByServers
from fermata.net.s2s_incoming import IncomingConnection
from fermata.net.s2s_listeners import ServerListeners
from fermata.net.s2s_outgoing import OutgoingConnection
from fermata.net.server_tls import ServerTLS
from fermata.net.targets import Target
from fermata.net.tls_transport import TLSFactory
from fermata.net.turn_writes import TurnWrites
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID

from .ca import Issued
from .pipes import Peer, PipeEnd, connect
from .servers import Place

LIMITS = Limits(stanza_bytes=20_000)
UNAUTHENTICATED_SECONDS = 30.0


class NotingTrunk:
    """See host.federation.Trunk."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sent: list[Pair] = []
        self.received: list[Pair] = []
        self.taken: list[Element] = []
        self.refused: list[tuple[str, str, str]] = []  #: condition, addressee and sender
        self.managed: list[str] = []
        self.drains = 0
        self.troubles: list[Trouble] = []

    def sends(self, pair: Pair) -> None:
        self.sent.append(pair)

    def receives(self, pair: Pair) -> None:
        self.received.append(pair)

    def take(self, stanza: Element, to: JID, sender: JID) -> None:
        assert (stanza.get("to"), stanza.get("from")) == (to, sender)
        self.taken.append(stanza)

    def take_refused(self, stanza: Element, to: JID, sender: JID, error: StanzaError) -> None:
        self.refused.append((error.condition, to, sender))

    def manage(self, element: Element) -> None:
        self.managed.append(element.tag.rpartition("}")[2])

    def drain(self) -> None:
        self.drains += 1

    def lost(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)


class Server(Place):
    """One server with its certificate (see host.federation.Federation and Dialling)."""

    def __init__(self, net: "Net", directory: Path, issued: Issued, ca_file: Path | None, *domains: str) -> None:
        super().__init__(set(domains))
        self._net = net
        directory.mkdir(exist_ok=True)
        pair = issued.write(directory / "cert.pem", directory / "key.pem")
        self.tls = ServerTLS(*pair, domains, ca_file)
        self.trunks: list[NotingTrunk] = []
        self.verifies = True  #: whether it can reach anybody to verify a key
        self.listeners: ServerListeners

    def trunk(self, connection: Connection) -> NotingTrunk:
        self.trunks.append(NotingTrunk(connection))
        return self.trunks[-1]

    def open(self, pair: Pair, failed: Callable[[Trouble], None]) -> Callable[[], None]:
        raise NotImplementedError

    def verify(self, pair: Pair, stream_id: str, key: str, answered: Callable[[Verdict, str], None]) -> None:
        if not self.verifies:
            answered(Verdict.ERROR, "nobody is there")
            return
        purpose = Verify(stream_id, key, answered)
        self._net.dial(self, pair, purpose, lambda trouble: answered(Verdict.ERROR, trouble.text))

    @property
    def shared(self) -> SharedByServers:
        """What its connections share."""
        return SharedByServers(
            self,
            self,
            self.tls,
            LIMITS,
            self.require_tls,
            self.offers_bidi,
            UNAUTHENTICATED_SECONDS,
            self._net.clock,
            self._net.new_id,
            self._net.turn,
        )

    def accepting(self, address: str = "192.0.2.1") -> IncomingConnection:
        """A new connection from somebody."""
        self.listeners = getattr(self, "listeners", None) or ServerListeners(self.shared, 0)
        kind = IPv6Address if ":" in address else IPv4Address
        connection = self.listeners.buildProtocol(kind("TCP", address, 40_000))
        assert connection is not None
        return connection


def wrapped(protocol: Protocol, creator: Any, *, is_client: bool = False) -> Any:
    """The protocol with TLS around it from the first byte."""
    factory = TLSFactory(creator, None, is_client)
    return factory.protocol(factory, protocol)


class Net:
    """Servers, and the way from one to another by the domain."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.turn = TurnWrites(self.clock)
        self.servers: dict[str, Server] = {}
        self.troubles: list[Trouble] = []  #: of the connections that were dialled
        self.proven: list[Pair] = []  #: by the same
        self._ids = 0

    def new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    def add(self, server: Server) -> Server:
        for domain in server.domains:
            self.servers[domain] = server
        return server

    def dial(
        self,
        server: Server,
        pair: Pair,
        purpose: Purpose | None = None,
        failed: Callable[[Trouble], Any] | None = None,
        *,
        direct_tls: bool = False,
    ) -> tuple[OutgoingConnection, PipeEnd]:
        """Has a server connect for a pair; the end is its own."""
        there = self.servers[pair.remote]
        accepted: Any = there.accepting()
        if direct_tls:
            accepted = wrapped(accepted, there.tls.server_creator())
        return self.dial_to(accepted, server, pair, purpose, failed, direct_tls=direct_tls)

    def dial_to(
        self,
        accepted: Protocol,
        server: Server,
        pair: Pair,
        purpose: Purpose | None = None,
        failed: Callable[[Trouble], Any] | None = None,
        *,
        direct_tls: bool = False,
    ) -> tuple[OutgoingConnection, PipeEnd]:
        """The same, to whatever accepts the connection."""
        target = Target(pair.remote, "192.0.2.2", 5269, direct_tls)
        failed, proven = failed or self.troubles.append, lambda: self.proven.append(pair)
        outgoing = OutgoingConnection(server.shared, pair, target, purpose or Authenticate(), failed, proven)
        end, _ = connect(self.clock, outgoing, accepted)
        return outgoing, end

    def intrude(self, server: Server, by: Server | None = None, pair: Pair | None = None) -> tuple[Peer, PipeEnd]:
        """Somebody connects whose words a test says: on TLS, with the certificate of `by`, or in the clear."""
        peer, accepted = Peer(), server.accepting()
        if by is None:
            end, _ = connect(self.clock, peer, accepted)
        else:
            assert pair is not None
            end, _ = connect(
                self.clock,
                wrapped(peer, by.tls.client_creator(pair, direct_tls=True), is_client=True),
                wrapped(accepted, server.tls.server_creator()),
            )
        self.run(0)
        return peer, end

    def run(self, seconds: float = 1.0) -> None:
        """Lets time pass, and everything happen that falls due."""
        until = self.clock.seconds() + seconds
        while calls := [each.getTime() for each in self.clock.getDelayedCalls() if each.getTime() <= until]:
            self.clock.advance(max(0.0, min(calls) - self.clock.seconds()))
        self.clock.advance(max(0.0, until - self.clock.seconds()))


def only(trunks: list[NotingTrunk]) -> NotingTrunk:
    """The one trunk that there is."""
    (trunk,) = trunks
    return trunk
