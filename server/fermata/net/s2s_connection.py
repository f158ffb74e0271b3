"""One connection to or from another server: bytes from a socket to a trunk and back (RFC 6120).

What is negotiated is up to the machines in `core.s2s`; from the first pair that is proven on, stanzas go to a trunk
(`host.federation`).
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from ..core.s2s.incoming import IncomingStream
from ..core.s2s.outgoing import OutgoingStream
from ..core.s2s.trouble import Cause, Trouble, found_here
from ..core.s2s.wants import End, Policy, Proves, Receives, Restart, Sends, StartTLS, Want, Write
from ..core.xmlstream import Limits, RefusedStanza, StreamEvent, XMLStream
from ..host.federation import Dialling, Federation, Trunk
from ..host.origin import Clock
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.stanza import KINDS
from .peer_certificate import proves
from .server_tls import ServerTLS
from .stream_connection import StreamConnection
from .turn_writes import TurnWrites

_GOODBYE_SECONDS: Final = 5.0  #: how long the peer has to close its stream, once we have closed ours
_AT_ONCE: Final = 4_096  #: so many bytes of one connection are dealt with before the others have their turn
_PATIENCE: Final = 10  #: so many times the limit of an element may all that comes before authentication be
_UNREAD_ANSWERS: Final = 100  #: so many answers about keys are given to a peer that reads nothing
_REMEMBERED: Final = 16  #: for so many domains it is remembered what a certificate proves
_SM: Final = "{" + ns.SM + "}"


@dataclass(frozen=True, slots=True)
class SharedByServers:
    """What all connections between servers have in common."""

    federation: Federation
    dialling: Dialling
    tls: ServerTLS
    limits: Limits
    require_tls: bool
    offers_bidi: bool
    unauthenticated_seconds: float
    clock: Clock
    new_id: Callable[[], str]
    turn: TurnWrites

    @property
    def policy(self) -> Policy:
        """What the streams go by."""
        stanza_bytes = self.limits.stanza_bytes
        limit = 0 if stanza_bytes == sys.maxsize else stanza_bytes
        return Policy(self.federation, self.require_tls, self.offers_bidi, limit)


class ServerConnection(StreamConnection):
    """What both directions have in common (see host.federation.Connection)."""

    _stream: IncomingStream | OutgoingStream
    _deeds: ClassVar[Mapping[type, Callable[[Any, Any], None]]]  # by the want that they are done for

    def __init__(self, shared: SharedByServers, stream: IncomingStream | OutgoingStream, direction: str) -> None:
        super().__init__(shared.clock, shared.turn, XMLStream(ns.SERVER, shared.limits), stream)
        self._shared, self.direction = shared, direction
        self._trunk: Trunk | None = None
        self._trouble: Trouble | None = None  # why it ends, once that is known
        self._received = 0  # bytes before anything was proven
        self._unread = bytearray()  # what has come, and waits for its turn
        self._unread_answers = 0
        self._has_said_goodbye = self._is_over = self._has_let_go = self._is_gone = False
        self.address = ""
        self.is_encrypted = False

    # -- see host.federation.Connection

    @property
    def proof(self) -> str:
        """How the peer has proven its domain."""
        return self._stream.proof

    @property
    def offers_management(self) -> bool:
        """Whether the peer has listed stream management."""
        return self._stream.offers_management

    @property
    def stanza_bytes(self) -> int:
        """The largest stanza that the peer takes; 0 if it has not said."""
        return self._stream.stanza_bytes

    def complete(self) -> None:
        """See host.federation.Connection. On a connection that we have made, nobody proves more than one anyway."""

    def write(self, xml: str) -> None:
        """See StreamConnection. What comes after our goodbye is not sent."""
        if not self._has_said_goodbye:
            super().write(xml)

    def end(self, error: StreamError | None) -> None:
        """Closes the stream and the connection.

        Without an error, what the peer has sent already is still taken, until it closes its stream as well.
        """
        if self._closing:
            return
        if self._trouble is None:
            self._trouble = found_here(error) if error else Trouble(Cause.STREAM, "we have closed the stream")
        if error is None and self._trunk is not None and not self._is_over:
            self._say_goodbye()
        else:
            super().end(error)

    def end_now(self, error: StreamError | None) -> None:
        """See StreamConnection: nothing more is taken."""
        self._is_over = True
        if not self._is_gone:
            super().end_now(error)

    def _say_goodbye(self) -> None:
        if not self._has_said_goodbye:
            self.write("</stream:stream>")
            self._has_said_goodbye = True
            self._timer = self._clock.callLater(_GOODBYE_SECONDS, self.end_now, None)

    def _farewell(self, error: StreamError | None) -> str:
        return "" if self._has_said_goodbye else super()._farewell(error)

    # -- the transport (twisted.internet)

    def connectionMade(self) -> None:
        """See Protocol."""
        super().connectionMade()
        self._keep_alive()
        if self._shared.unauthenticated_seconds:
            self._timer = self._clock.callLater(self._shared.unauthenticated_seconds, self._time_is_up)

    def dataReceived(self, data: bytes) -> None:
        """See Protocol."""
        self.quiet = 0
        if self._unread:
            self._unread += data
        elif self._trunk is None or len(data) <= _AT_ONCE:
            self._read(data)
        else:
            self._unread += data
            self.transport.pauseProducing()
            self._read_on()

    def _read_on(self) -> None:
        """Reads some of what has come; the other connections have their turn before the rest."""
        if self._is_gone:
            return
        data = bytes(self._unread[:_AT_ONCE])
        del self._unread[:_AT_ONCE]
        if self._unread:
            self._clock.callLater(0, self._read_on)
        else:
            self.transport.resumeProducing()
        self._read(data)

    def _read(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            if self._trunk is None:
                self._count(data)
            self._take_all(self._xml.receive(data))
        except StreamError as error:
            self.end(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See Protocol."""
        self._is_gone = True
        self._read(bytes(self._unread))
        if self._trouble is None:
            self._trouble = self._cut(reason)
        super().connectionLost(reason)

    def _count(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > _PATIENCE * self._shared.limits.unauthenticated_bytes:
            raise StreamError("policy-violation", "so much is not needed to prove a domain")

    def _cut(self, reason: Failure) -> Trouble:
        """What it means that the connection has gone, which nobody has announced."""
        return Trouble(Cause.STREAM, f"the connection broke: {words_of(reason)}")

    def _time_is_up(self) -> None:
        self._trouble = self._trouble or Trouble(Cause.SILENT, "nothing was proven in time")
        self.end(StreamError("connection-timeout"))

    # -- see StreamConnection

    def _let_go(self) -> None:
        if self._has_let_go:
            return
        self._has_let_go = True
        trunk, self._trunk = self._trunk, None
        trouble = self._trouble or Trouble(Cause.STREAM, "")
        if trunk is not None:
            trunk.lost(trouble)
        else:
            self._unproven(trouble)

    def _unproven(self, trouble: Trouble) -> None:
        """It ends before anything was proven on it."""
        raise NotImplementedError

    def _drain(self) -> None:
        self._unread_answers = 0
        if self._trunk is not None:
            self._trunk.drain()

    # -- what arrives

    def _take(self, event: StreamEvent) -> None:
        trunk = self._trunk
        if trunk is None:
            self._do(self._stream.receive(event))
        elif isinstance(event, Element):
            if event.tag in KINDS:
                self._take_stanza(trunk, event, None)
            elif event.tag.startswith(_SM):
                trunk.manage(event)
            else:
                self._do(self._stream.receive(event))
        elif isinstance(event, RefusedStanza):
            self._take_stanza(trunk, event.stanza, StanzaError("policy-violation", event.text))
        else:
            self._do(self._stream.receive(event))

    def _take_stanza(self, trunk: Trunk, stanza: Element, refusal: StanzaError | None) -> None:
        try:
            to, sender = self._stream.check(stanza)
        except StanzaError as error:
            refusal = error
            to, sender = self._stream.domains(stanza)
        if refusal is None:
            trunk.take(stanza, to, sender)
        else:
            trunk.take_refused(stanza, to, sender, refusal)

    def _do(self, wants: list[Want]) -> None:
        for want in wants:
            if self._closing:
                return
            self._deeds[type(want)](self, want)

    def _answer(self, want: Write) -> None:
        if self.paused:
            self._unread_answers += 1
            if self._unread_answers > _UNREAD_ANSWERS:
                raise StreamError("policy-violation", "you do not read what you are answered")
        self.write(want.xml)

    def _end(self, want: End) -> None:
        """The peer has closed its stream, or there is nothing on it that could be waited for."""
        self._is_over = True
        self._trouble = self._trouble or want.trouble
        self.end(want.error)

    def _restart(self, want: Restart) -> None:
        self._xml.restart()

    def _sends(self, want: Sends) -> None:
        self._proven().sends(want.pair)

    def _receives(self, want: Receives) -> None:
        self._proven().receives(want.pair)

    def _proven(self) -> Trunk:
        if self._trunk is None:
            self._forget_timer()
            self._xml.authenticated()
            self._trunk = self._shared.federation.trunk(self)
        return self._trunk

    # -- TLS

    def _start_tls(self, want: StartTLS) -> None:
        """In clear text, nothing may follow what begins it: whoever is in between could have put that there."""
        if self._xml.unread:
            raise StreamError("policy-violation", "nothing may be sent between the request for TLS and TLS")
        self._xml.restart()
        self.flush()
        self._begin_tls(want.domain)

    def _begin_tls(self, domain: str) -> None:
        raise NotImplementedError

    def _shown(self) -> Proves:
        """What the certificate is worth that the peer has shown."""
        connection = self.transport.getHandle()
        return lru_cache(_REMEMBERED)(lambda domain: proves(connection, domain))


def words_of(reason: Failure) -> str:
    """Why a connection has gone, for the operator; OpenSSL says it in pieces."""
    arguments = getattr(reason.value, "args", ())
    if arguments and isinstance(arguments[0], list):
        return "; ".join(str(pieces[-1]) for pieces in arguments[0] if pieces) or "TLS is broken"
    return str(reason.getErrorMessage())


#: what is done about each want that machines of both directions have
DEEDS: Final[Mapping[type, Callable[[Any, Any], None]]] = {
    Write: ServerConnection._answer,
    StartTLS: ServerConnection._start_tls,
    Restart: ServerConnection._restart,
    End: ServerConnection._end,
    Sends: ServerConnection._sends,
    Receives: ServerConnection._receives,
}
