"""Where external components connect (XEP-0114)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..core.c2s_stream import STREAM_ERROR, End, Write
from ..core.component_stream import Accept, ComponentStream, Want
from ..core.xmlstream import Limits, RefusedStanza, StreamEnd, StreamEvent, XMLStream
from ..host.origin import Clock
from ..host.sessions import Link
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.stanza import KINDS
from .stream_connection import StreamConnection
from .stream_listeners import StreamListeners
from .turn_writes import TurnWrites

_log = Logger()


class Component(Protocol):
    """A component, as its connection sees it."""

    def connected(self, link: Link) -> None:
        """It has a connection; one that it had is to be closed."""

    def lost(self, link: Link) -> None:
        """A connection is gone."""

    def drain(self) -> None:
        """Its connection can take more."""

    def take(self, stanza: Element) -> None:
        """Takes what it sends. Raises StreamError."""

    def take_refused(self, stanza: Element, error: StanzaError) -> None:
        """Takes what was too much to be read. Raises StreamError."""


@dataclass(frozen=True, slots=True)
class SharedByComponents:
    """What all connections of components have in common; `components` and `secrets` are by domain."""

    components: Mapping[str, Component]
    secrets: Mapping[str, str]
    limits: Limits
    unauthenticated_seconds: float
    clock: Clock
    new_id: Callable[[], str]
    turn: TurnWrites


class ComponentConnection(StreamConnection):
    """Parses what arrives: the handshake first, and stanzas for the component from then on."""

    _stream: ComponentStream

    def __init__(self, shared: SharedByComponents, gone: "Callable[[ComponentConnection], None]") -> None:
        stream = ComponentStream(shared.secrets, shared.new_id)
        super().__init__(shared.clock, shared.turn, XMLStream(ns.COMPONENT, shared.limits), stream)
        self._shared, self._gone = shared, gone
        self._component: Component | None = None

    def connectionMade(self) -> None:
        """See Protocol."""
        super().connectionMade()
        self._keep_alive()
        self._end_after(self._shared.unauthenticated_seconds, StreamError("connection-timeout"))

    def dataReceived(self, data: bytes) -> None:
        """See Protocol."""
        self.quiet = 0
        if not self._closing:
            try:
                self._take_all(self._xml.receive(data))
            except StreamError as error:
                self.end(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See Protocol."""
        super().connectionLost(reason)
        self._gone(self)

    def end(self, error: StreamError | None) -> None:
        """See StreamConnection."""
        if error is not None and not self._closing:
            _log.warn(
                "The component {domain} is sent away: {condition} {text}",
                domain=self._stream.domain or "without a domain",
                condition=error.condition,
                text=error.text,
            )
        super().end(error)

    def _let_go(self) -> None:
        component, self._component = self._component, None
        if component is not None:
            _log.info("The component {domain} is gone", domain=self._stream.domain)
            component.lost(self)

    def _drain(self) -> None:
        if self._component is not None:
            self._component.drain()

    def _take(self, event: StreamEvent) -> None:
        component = self._component
        if component is None:
            for want in self._stream.receive(event):
                self._do(want)
        elif isinstance(event, RefusedStanza):
            component.take_refused(event.stanza, StanzaError("policy-violation", event.text))
        elif isinstance(event, StreamEnd):
            self.end(None)
        elif isinstance(event, Element):
            self._take_element(component, event)

    def _take_element(self, component: Component, element: Element) -> None:
        if element.tag in KINDS:
            component.take(element)
        elif element.tag == STREAM_ERROR:
            self.end(None)
        else:
            raise StreamError("unsupported-stanza-type")

    def _do(self, want: Want) -> None:
        if isinstance(want, Write):
            self.write(want.xml)
        elif isinstance(want, Accept):
            self._accept(want)
        elif isinstance(want, End):
            self.end(None)

    def _accept(self, want: Accept) -> None:
        self._forget_timer()
        self._xml.authenticated()
        self.write(want.xml)
        self._component = self._shared.components[want.domain]
        self._component.connected(self)
        _log.info("The component {domain} is connected", domain=want.domain)


class ComponentListeners(StreamListeners[ComponentConnection]):
    """Makes a connection for each component."""

    def __init__(self, shared: SharedByComponents) -> None:
        super().__init__(shared.clock)
        self._shared = shared

    def _accept(self, host: str, port: str) -> ComponentConnection:
        return ComponentConnection(self._shared, self._gone)
