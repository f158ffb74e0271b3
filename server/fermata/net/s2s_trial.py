"""A connection to another server that is only a test: it tells each step on its way, and carries nothing."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError

from ..core.s2s import dialback, features
from ..core.s2s.trouble import words_of
from ..core.s2s.wants import Receives, Sends
from ..core.xmlstream import StreamEvent, StreamHeader
from ..host.federation import Pair, Trouble
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, local_name
from .competition import TCP_SECONDS, refusal
from .peer_certificate import proves, shown_names
from .s2s_connection import SharedByServers
from .s2s_outgoing import Authenticate, OutgoingConnection
from .targets import Target

_CERTIFICATE_REQUIRED: Final = "not-authorized"  #: as an answer to a dialback key (XEP-0220 §2.5)


class Outcome(StrEnum):
    """What a step is worth; a note is good to know, and may explain what goes wrong later."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


class Step(NamedTuple):
    """One step on the way to another server; `hint` is what to do about it."""

    stage: str
    outcome: Outcome
    text: str
    hint: str = ""


class Trial(OutgoingConnection):
    """Authenticates us, and is closed as soon as it has; `ended` is why it has not, or None."""

    def __init__(self, shared: SharedByServers, pair: Pair, target: Target, tell: Callable[[Step], None]) -> None:
        self.ended: Deferred[Trouble | None] = Deferred()
        super().__init__(shared, pair, target, Authenticate(), self.ended.callback, self._succeed)
        self._tell = tell
        self._header: StreamHeader | None = None
        self.takes_dialback = False
        self._way = ""  # how the other server has come to believe us

    @property
    def has_answered(self) -> bool:
        """Whether what is there speaks XMPP at all."""
        return self._header is not None

    def connectionMade(self) -> None:
        """See Protocol."""
        self._ok("tcp", f"connected to {self.address}")
        super().connectionMade()

    def handshakeCompleted(self) -> None:
        """See IHandshakeListener."""
        handle = self.transport.getHandle()
        self._ok("tls", f"{handle.get_protocol_version_name()} with {handle.get_cipher_name()}")
        self._tell_certificate(handle)
        super().handshakeCompleted()

    def _tell_certificate(self, handle: Any) -> None:
        shown = handle.get_peer_certificate(as_cryptography=True)
        if shown is not None:
            names, issuer = ", ".join(shown_names(shown)) or "nobody", shown.issuer.rfc4514_string()
            validity = f"from {shown.not_valid_before_utc:%Y-%m-%d} to {shown.not_valid_after_utc:%Y-%m-%d}"
            self._ok("certificate", f"it shows one for {names}, valid {validity}, issued by {issuer}")
        words = proves(handle, self._pair.remote)
        if not words:
            self._ok("certificate", f"it proves {self._pair.remote}")
        elif not self._shared.federation.requires_certificate(self._pair.remote):
            text = f"it does not prove {self._pair.remote}: {words}"
            self._tell(Step("certificate", Outcome.NOTE, text, "the DNS has to vouch for it, as [s2s] allows"))

    def _take(self, event: StreamEvent) -> None:
        if isinstance(event, StreamHeader):
            self._header = event
        elif isinstance(event, Element) and event.tag in _WATCHED:
            _WATCHED[event.tag](self, event)
        super()._take(event)

    def _features(self, element: Element) -> None:
        assert self._header is not None
        offered = features.read(element, self._header)
        self.takes_dialback = offered.dialback
        kinds = (
            (offered.tls, "TLS"),
            (offered.external, "authentication by certificate"),
            (offered.dialback, "dialback"),
            (offered.bidi, "both directions on one connection"),
            (offered.management, "acknowledgements"),
        )
        words = ", ".join(name for is_offered, name in kinds if is_offered)
        self._ok("stream", f"the other server offers {words or 'nothing'}")

    def _success(self, element: Element) -> None:
        self._way = "by our certificate"

    def _failure(self, element: Element) -> None:
        said = ", ".join([local_name(item) if local_name(item) != "text" else item.text or "" for item in element])
        self._tell(Step("authentication", Outcome.NOTE, f"the other server does not accept our certificate: {said}"))

    def _result(self, element: Element) -> None:
        if element.get("type") == "valid":
            self._way = "by dialback: it has found this server by the DNS, and had our key confirmed"
        answer = dialback.read(element)
        if isinstance(answer, dialback.Answer) and answer.error is not None:
            self.takes_dialback = words_of(answer.error)[0] != _CERTIFICATE_REQUIRED

    def _succeed(self) -> None:
        self._ok("authentication", f"the other server believes that we are {self._pair.local}, {self._way}")
        self.end_now(None)
        self.ended.callback(None)

    def _carry_nothing(self, want: Sends | Receives) -> None:
        """It is over already."""

    def _sends(self, want: Sends) -> None:
        self._is_done = True
        self._has_proven()

    def _ok(self, stage: str, text: str) -> None:
        self._tell(Step(stage, Outcome.OK, text))

    _deeds: ClassVar = {**OutgoingConnection._deeds, Sends: _sends, Receives: _carry_nothing}


_WATCHED: Final[Mapping[str, Callable[[Trial, Element], None]]] = {
    features.FEATURES: Trial._features,
    "{%s}success" % ns.SASL: Trial._success,
    "{%s}failure" % ns.SASL: Trial._failure,
    dialback.RESULT: Trial._result,
}


class Ended(NamedTuple):
    """How a trial has ended: `trouble` is None if we were authenticated."""

    trouble: Trouble | None
    is_connected: bool = False
    has_answered: bool = False  #: with a stream of XMPP
    takes_dialback: bool = False  #: it has offered that, and has not asked for a certificate instead


async def attempt(
    reactor: Any, shared: SharedByServers, pair: Pair, target: Target, tell: Callable[[Step], None]
) -> Ended:
    """Tries one target."""
    kind = TCP6ClientEndpoint if ":" in target.address else TCP4ClientEndpoint
    trial = Trial(shared, pair, target, tell)
    try:
        await connectProtocol(kind(reactor, target.address, target.port, TCP_SECONDS), trial)
    except ConnectError as error:
        return Ended(refusal(error))
    try:
        return Ended(await trial.ended, True, trial.has_answered, trial.takes_dialback)
    finally:
        trial.transport.abortConnection()
