"""One client connection: bytes from a socket to a session and back (RFC 6120)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..core.c2s_registration import Preauthorise, Register
from ..core.c2s_stream import (
    STREAM_ERROR,
    Bind,
    ClientStream,
    End,
    Policy,
    Refuse,
    Restart,
    Resume,
    StartTLS,
    Want,
    Write,
)
from ..core.sasl.mechanism import NeedCredentials, Verify
from ..core.xmlstream import Limits, RefusedStanza, StreamEnd, StreamEvent, XMLStream
from ..host.entrance import Credentials, Entrance, Registrar
from ..host.origin import Clock
from ..host.sessions import Session
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, serialise
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from ..xmpp.stanza import KINDS, error_of, result_of
from .stream_connection import StreamConnection
from .tls import Identities, TLSForStream, channel_bindings
from .tls_transport import start_tls
from .turn_writes import TurnWrites


@dataclass(frozen=True, slots=True)
class Shared:
    """What all client connections have in common."""

    policy: Policy
    limits: Limits
    unauthenticated_seconds: float
    identities: Identities
    entrance: Entrance
    registrar: Registrar
    clock: Clock
    new_id: Callable[[], str]
    turn: TurnWrites


@implementer(IHandshakeListener)
class ClientConnection(StreamConnection):
    """Parses what arrives; negotiates first, and hands stanzas to the session from then on."""

    _stream: ClientStream

    def __init__(self, shared: Shared, address: str, gone: "Callable[[ClientConnection], None]") -> None:
        stream = ClientStream(shared.policy, shared.new_id)
        super().__init__(shared.clock, shared.turn, XMLStream(ns.CLIENT, shared.limits), stream)
        self._shared, self._address, self._gone = shared, address, gone
        self._session: Session | None = None
        self._busy = False  #: an answer is being waited for: nothing may be read before it is here
        self._held_back = False  #: and the transport has been told so
        self._events: Iterator[StreamEvent] = iter(())  #: what has been read, but not taken
        self._unread = b""  #: what came in after that
        self._trying: JID | None = None

    # -- the transport (twisted.internet)

    def connectionMade(self) -> None:
        """See Protocol."""
        super().connectionMade()
        self._end_after(self._shared.unauthenticated_seconds, StreamError("connection-timeout"))

    def handshakeCompleted(self) -> None:
        """See IHandshakeListener: TLS is on."""
        self._stream.secured(channel_bindings(self.transport.getHandle(), self._shared.identities))

    def dataReceived(self, data: bytes) -> None:
        """See Protocol."""
        self.quiet = 0
        if self._busy:
            self._unread += data
        elif not self._closing:
            self._read(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See Protocol."""
        super().connectionLost(reason)
        self._gone(self)

    # -- how a client is asked for a sign of life (see `listeners`)

    def ask(self) -> None:
        """Asks the peer for any sign of life (XEP-0199 §4.2, server to client; XEP-0198 §4 where it is in use)."""
        session = self._session
        if session is None:
            return
        if session.outbound is not None:
            self.write(f"<r xmlns='{ns.SM}'/>")
            return
        ping = f" from='{session.jid.domain}' id='{self._shared.new_id()}' type='get'><ping xmlns='{ns.PING}'/></iq>"
        session.send(Payload("iq", ping, session.jid.domain, "get"), session.jid)

    # -- when the process is about to end

    def stop_reading(self) -> None:
        """What the peer sends from now on is as if it had never arrived."""
        if not self._closing:
            self._busy = self._held_back = True
            self.transport.pauseProducing()

    def part(self, last_words: Callable[[Session], str | None]) -> None:
        """Closes the connection; a session that will go on, by its last words, is told nothing of an end."""
        session = self._session
        words = None if session is None or self._closing else last_words(session)
        if words is None:
            self.end_now(StreamError("system-shutdown"))
            return
        self._closing, self._session = True, None
        self._forget_timer()
        self.write(words)
        self._close()

    # -- see StreamConnection

    def _let_go(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._shared.entrance.lost(session, self)

    def _drain(self) -> None:
        if self._session is not None:
            self._session.drain()

    # -- what arrives

    def _read(self, data: bytes) -> None:
        try:
            self._take_all(self._xml.receive(data))
        except StreamError as error:
            self.end(error)

    def _take_all(self, events: Iterable[StreamEvent]) -> None:
        left = iter(events)
        for event in left:
            self._take(event)
            if self._busy:
                self._events = left
                return
            if self._closing:
                return

    def _take(self, event: StreamEvent) -> None:
        session = self._session
        if session is None:
            self._do(self._stream.receive(event))
        elif isinstance(event, Element):
            if event.tag in KINDS:
                session.take(event)
            elif event.tag == STREAM_ERROR:
                self.end(None)
            else:
                self._shared.entrance.nonza(session, event)
        elif isinstance(event, RefusedStanza):
            session.take_refused(event.stanza, StanzaError("policy-violation", event.text))
        elif isinstance(event, StreamEnd):
            self._shared.entrance.left(session, self)

    def _do(self, wants: list[Want]) -> None:
        for want in wants:
            _DEEDS[type(want)](self, want)

    def _write(self, want: Write) -> None:
        self.write(want.xml)

    def _refuse(self, want: Refuse) -> None:
        self.write(want.xml)
        self._shared.entrance.failed(self._trying, self._address)

    def _start_tls(self, want: StartTLS) -> None:
        if self._xml.unread:
            raise StreamError("policy-violation", "nothing may follow the request for TLS before TLS is on")
        self._xml.restart()
        self.flush()
        self.transport.unregisterProducer()
        self.transport = start_tls(self.transport, TLSForStream(self._shared.identities, want.domain), self)
        self.transport.registerProducer(self, True)

    def _restart(self, want: Restart) -> None:
        self._xml.restart()
        self._xml.authenticated()

    def _end(self, want: End) -> None:
        self.end(want.error)

    # -- what must be waited for

    def _ask(self, ask: Callable[[], None]) -> None:
        """Asks for something whose answer goes to `_go_on`, often before this returns."""
        self._busy = True
        ask()
        if self._busy and not self._closing:
            self._held_back = True
            self.transport.pauseProducing()

    def _go_on(self, wants: Callable[[], list[Want]]) -> None:
        """An answer is here: acts on it, then on what has arrived meanwhile."""
        self._busy = False
        if self._closing:
            return
        try:
            self._do(wants())
            if self._held_back:
                self._catch_up()
        except StreamError as error:
            self.end(error)

    def _catch_up(self) -> None:
        """Takes what was left when the question was asked, then what has come in since."""
        self._held_back = False
        self.transport.resumeProducing()
        self._take_all(self._events)
        if not self._busy and self._unread:
            data, self._unread = self._unread, b""
            self._read(data)

    def _look_up(self, want: NeedCredentials) -> None:
        trying = self._trying = JID.of(want.username, self._stream.domain)
        self._ask(lambda: self._shared.entrance.look_up(trying, self._address, self._looked_up))

    def _looked_up(self, found: Credentials | None) -> None:
        stream = self._stream
        self._go_on(lambda: stream.refused("temporary-auth-failure") if found is None else stream.credentials(*found))

    def _verify(self, want: Verify) -> None:
        def verified(matches: bool) -> None:
            self._go_on(lambda: self._stream.verified(matches))

        self._ask(lambda: self._shared.entrance.verify(want.check, verified))

    def _preauthorise(self, want: Preauthorise) -> None:
        def known(localpart: str | StanzaError) -> None:
            self._go_on(lambda: self._stream.preauthorised(want, localpart))

        domain = self._stream.domain
        self._ask(lambda: self._shared.registrar.preauthorise(domain, want.token, self._address, known))

    def _register(self, want: Register) -> None:
        def made(error: StanzaError | None) -> None:
            self._go_on(lambda: self._stream.registered(want, error))

        registrar = self._shared.registrar
        self._ask(lambda: registrar.register(want.jid, want.password, want.token, self._address, made))

    def _bind(self, want: Bind) -> None:
        account = self._stream.account or _nobody()

        def bound(session: Session | StanzaError) -> None:
            if isinstance(session, Session):
                self._begin(session)
            self._go_on(lambda: [Write(_bound(want.iq, session))])

        self._ask(lambda: self._shared.entrance.bind(account, want.resource, self, bound))

    def _resume(self, want: Resume) -> None:
        account = self._stream.account or _nobody()

        def resumed(session: Session | None) -> None:
            if session is not None:
                self._begin(session)
            self._go_on(list)

        self._ask(lambda: self._shared.entrance.resume(account, want.previd, want.h, self, resumed))

    def _begin(self, session: Session) -> None:
        if self._closing:
            self._shared.entrance.lost(session, self)  # while it was waited for, the connection has gone
            return
        self._forget_timer()
        self._session = session


def _bound(iq: Element, session: Session | StanzaError) -> str:
    if isinstance(session, StanzaError):
        return serialise(error_of(iq, session))
    jid = E("{%s}jid" % ns.BIND, {}, str(session.jid))
    return serialise(result_of(iq, E("{%s}bind" % ns.BIND, {}, jid)))


def _nobody() -> JID:
    raise StreamError("not-authorized")


_DEEDS: Final[Mapping[type, Callable[[ClientConnection, Any], None]]] = {
    Write: ClientConnection._write,
    Refuse: ClientConnection._refuse,
    StartTLS: ClientConnection._start_tls,
    Restart: ClientConnection._restart,
    End: ClientConnection._end,
    NeedCredentials: ClientConnection._look_up,
    Verify: ClientConnection._verify,
    Preauthorise: ClientConnection._preauthorise,
    Register: ClientConnection._register,
    Bind: ClientConnection._bind,
    Resume: ClientConnection._resume,
}
