"""A component in this process: wokkel's handlers for subprotocols, at a domain of their own.

They are given what wokkel gives them over a connection, a stream to observe and a parent to send through, and need not
know the difference. What they raise is logged and answered here. Nothing can be done about one that blocks: the server
stands still for as long.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from twisted.internet.error import ConnectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.words.protocols.jabber import jid as jabber_jid
from twisted.words.protocols.jabber.xmlstream import STREAM_AUTHD_EVENT, STREAM_CONNECTED_EVENT
from twisted.words.xish import domish
from twisted.words.xish.utility import EventDispatcher

from ..core.stored_xml import stanza_from
from ..host.origin import Clock, Origin
from ..xmpp import namespaces as ns
from ..xmpp.bridge import from_domish, to_domish
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from ..xmpp.stanza import KINDS
from ..xmpp.wokkel import subprotocols

_log = Logger()
_REQUESTS: Final = ("get", "set")


class InsideComponent:
    """What the handlers of one component observe and send, and what is for them (see host.router.Destination)."""

    def __init__(self, domain: str, take: Callable[[Element], None], origin: Origin, clock: Clock) -> None:
        """`take` takes what it sends, and raises StreamError if it may not send that.

        `origin` is where answers to what is made here for it are given.
        """
        self.domain = domain
        self._take, self._origin, self._clock = take, origin, clock
        self._inbox: deque[tuple[domish.Element, Element, Origin]] = deque()
        self._stream = _Stream(domain, self._sent, self._failed)
        self._bootstraps = _Bootstraps()
        self._parent = subprotocols.StreamManager(self._bootstraps, clock)
        self._request: tuple[str, str] | None = None  #: sender and id of the one that is being handed out
        self._has_failed = False

    # -- its life

    def start(self, handlers: Iterable[Any]) -> None:
        """Lets each of wokkel's handlers begin: it may send from now on."""
        self._bootstraps.fire(STREAM_CONNECTED_EVENT, self._stream)
        self._bootstraps.fire(STREAM_AUTHD_EVENT, self._stream)
        for each in handlers:
            self._call(each.setHandlerParent, self._parent)

    def stop(self) -> None:
        """Tells the handlers that it is over."""
        for each in list(self._parent):
            self._call(each.connectionLost, Failure(ConnectionDone()))

    # -- what is for it (see host.router.Destination)

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a message. Raises StanzaError if it cannot be said in wokkel's words."""
        origin.emit(0, None, self._put, to_domish(stanza, ns.COMPONENT), stanza, origin)

    presence = iq = message

    def deliver(self, payload: Payload, to: JID) -> None:
        """Takes what a room or an account here has made."""
        stanza = stanza_from(payload.addressed(to))
        try:
            self._put(to_domish(stanza, ns.COMPONENT), stanza, self._origin)
        except StanzaError as error:
            _log.debug("{domain} cannot be given a stanza: {error}", domain=self.domain, error=error)

    def _put(self, element: domish.Element, stanza: Element, origin: Origin) -> None:
        # A handler answers at once: in a turn of its own, it cannot get in between what others are about to be sent.
        if not self._inbox:
            self._clock.callLater(0, self._hand_out)
        self._inbox.append((element, stanza, origin))

    def _hand_out(self) -> None:
        inbox, self._inbox = self._inbox, deque()
        for element, stanza, origin in inbox:
            self._observe(element, stanza, origin)

    def _observe(self, element: domish.Element, stanza: Element, origin: Origin) -> None:
        is_request = stanza.tag == "iq" and stanza.get("type") in _REQUESTS
        self._request = (stanza.get("from", ""), stanza.get("id", "")) if is_request else None
        self._has_failed = False
        self._stream.dispatch(element)  # type: ignore[no-untyped-call]
        is_open = self._request is not None and not element.handled
        self._request = None
        if is_open:
            origin.refuse(stanza, StanzaError("internal-server-error" if self._has_failed else "service-unavailable"))

    # -- what it does

    def _sent(self, thing: "domish.Element | str") -> None:
        """Sends a stanza. Raises ValueError, in the handler that sends it, for what it may not send."""
        stanza = from_domish(to_domish(stanza_from(thing)) if isinstance(thing, str) else thing)
        if stanza.tag not in KINDS:
            raise ValueError(f"a component sends stanzas, not <{stanza.tag}/>")
        if self._request == (stanza.get("to"), stanza.get("id")) and stanza.get("type") in ("result", "error"):
            self._request = None
        try:
            self._take(stanza)
        except StreamError as error:
            raise ValueError(f"{error.condition}: {error.text}") from error

    def _call(self, call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments)
        except Exception:
            self._failed()

    def _failed(self) -> None:
        self._has_failed = True
        _log.failure("The component {domain} has failed", domain=self.domain)


class _Stream(EventDispatcher):
    """What handlers take for the stream: `XmlStream`, as far as wokkel and XEP-0114 let them rely on it."""

    def __init__(self, domain: str, sent: Callable[[Any], None], failed: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.thisEntity = jabber_jid.internJID(domain)
        self.send = sent
        self._failed = failed

    def addObserver(self, event: Any, observerfn: Any, priority: int = 0, *args: Any, **kwargs: Any) -> None:  # noqa: N802
        """See EventDispatcher."""
        guarded = _Guarded(observerfn, self._failed)
        super().addObserver(event, guarded, priority, *args, **kwargs)  # type: ignore[no-untyped-call]

    def addOnetimeObserver(  # noqa: N802
        self, event: Any, observerfn: Any, priority: int = 0, *args: Any, **kwargs: Any
    ) -> None:
        """See EventDispatcher."""
        guarded = _Guarded(observerfn, self._failed)
        super().addOnetimeObserver(event, guarded, priority, *args, **kwargs)  # type: ignore[no-untyped-call]

    def removeObserver(self, event: Any, observerfn: Any) -> None:  # noqa: N802
        """See EventDispatcher."""
        super().removeObserver(event, _Guarded(observerfn, self._failed))  # type: ignore[no-untyped-call]


class _Guarded:
    """An observer, the same as the one inside: but that it fails does not stay a secret of the dispatcher."""

    __slots__ = ("_failed", "_observer")

    def __init__(self, observer: Callable[..., object], failed: Callable[[], None]) -> None:
        self._observer, self._failed = observer, failed

    def __call__(self, *arguments: Any, **named: Any) -> None:
        try:
            self._observer(*arguments, **named)
        except Exception:
            self._failed()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Guarded) and self._observer == other._observer

    def __hash__(self) -> int:
        return hash(self._observer)


class _Bootstraps:
    """What a StreamManager asks of the factory of its streams: to be told of their beginning and end."""

    def __init__(self) -> None:
        self._calls: dict[str, Callable[[Any], None]] = {}

    def addBootstrap(self, event: str, call: Callable[[Any], None]) -> None:  # noqa: N802
        """See twisted.words.xish.xmlstream.BootstrapMixin."""
        self._calls[event] = call

    def fire(self, event: str, argument: Any) -> None:
        """It has come."""
        self._calls[event](argument)
