"""How a stream that we open to another server is negotiated.

RFC 6120 §4-6 and §13.7, XEP-0178 (SASL EXTERNAL), XEP-0220 (dialback), XEP-0288 (bidirectional streams).
`OutgoingStream` takes what the parser yields and returns what is to be done, in order. From the moment at which its
pair is proven, stanzas go through `check` instead, and all else still comes here.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError, StreamError
from ...xmpp.stanza import KINDS
from ..c2s_stream import STREAM_ERROR
from ..xmlstream import RefusedStanza, StreamEnd, StreamEvent, StreamHeader
from . import dialback, features
from .pair import Pair, Verdict
from .proven import Proven
from .trouble import CLOSED, Cause, Trouble, told_by_peer, words_of
from .wants import End, Policy, Proves, Receives, Restart, Sends, StartTLS, Verified, Want, Write


@dataclass(frozen=True, slots=True)
class Authenticate:
    """The stream is to carry stanzas: we prove our side of the pair."""


@dataclass(frozen=True, slots=True)
class Verify:
    """The stream is to ask whether a key is the peer's own, and nothing else; `answered` gets a text as well."""

    stream_id: str
    key: str
    answered: Callable[[Verdict, str], None]


Purpose = Authenticate | Verify


class _Next(Enum):
    """What the peer has to say next."""

    HEADER = auto()
    FEATURES = auto()
    PROCEED = auto()
    SUCCESS = auto()
    RESULT = auto()
    VERDICT = auto()
    NOTHING = auto()


class OutgoingStream:
    """One stream of ours."""

    def __init__(self, policy: Policy, pair: Pair, purpose: Purpose) -> None:
        self._policy, self._rules, self._pair, self._purpose = policy, policy.rules, pair, purpose
        self._next = _Next.HEADER
        self._header: StreamHeader | None = None
        self._offered: features.Features | None = None
        self._proves: Proves | None = None
        self._has_bidi = self._has_authenticated = False
        self._proven = Proven(self._rules.is_served)
        self.is_proven = False  #: we have proven our side
        self.header_sent = False
        self.proof = ""  #: how the peer has proven its domain; without a certificate, name servers vouch for it
        self.check = self._proven.check  #: see Proven
        self.domains = self._proven.domains

    @property
    def offers_management(self) -> bool:
        """Whether the peer has listed stream management (XEP-0198)."""
        return self._offered is not None and self._offered.management

    @property
    def stanza_bytes(self) -> int:
        """The largest stanza that the peer takes; 0 if it has not said (XEP-0478)."""
        return self._offered.stanza_bytes if self._offered is not None else 0

    def opening(self) -> str:
        """Our own stream header: write it once the connection stands, or TLS if it comes first."""
        self.header_sent = True
        return features.opening(self._pair.local, self._pair.remote)

    def secured(self, proves: Proves) -> list[Want]:
        """TLS is on; `proves` says what the certificate is worth that the peer has shown."""
        self._proves = proves
        words = proves(self._pair.remote)
        if words and self._rules.requires_certificate(self._pair.remote):
            return [End(Trouble(Cause.CERTIFICATE, words))]
        self.proof = "dialback" if words else "certificate"
        return self._open()

    def receive(self, event: StreamEvent) -> list[Want]:
        """Takes one event of the stream. Raises StreamError."""
        if isinstance(event, StreamHeader):
            return self._opened(event)
        if isinstance(event, StreamEnd):
            return [End(CLOSED)]
        if isinstance(event, RefusedStanza):
            raise StreamError("policy-violation", event.text)
        turn = _TURNS.get(event.tag)
        if turn is None:
            raise StreamError("not-authorized" if event.tag in KINDS else "unsupported-stanza-type")
        return turn(self, event)

    def _expect(self, *awaited: _Next) -> None:
        """Raises StreamError unless it is the peer's turn to say this."""
        if self._next not in awaited:
            raise StreamError("not-authorized", "nobody has asked for that")
        self._next = _Next.NOTHING

    def _fail(self, cause: Cause, text: str) -> list[Want]:
        self._next = _Next.NOTHING
        return [End(Trouble(cause, text))]

    # -- the header and the features (RFC 6120 §4.3, §4.7)

    def _open(self) -> list[Want]:
        self._next = _Next.HEADER
        return [Write(self.opening())]

    def _opened(self, header: StreamHeader) -> list[Want]:
        self._header = header
        if not header.is_versioned:
            return self._fail(Cause.STREAM, "the other server does not speak XMPP 1.0")
        self._next = _Next.FEATURES
        return []

    def _features(self, element: Element) -> list[Want]:
        self._expect(_Next.FEATURES)
        assert self._header is not None
        offered = self._offered = features.read(element, self._header)
        if self._proves is None:
            if offered.tls:
                self._next = _Next.PROCEED
                return [Write(features.STARTTLS)]
            if self._policy.require_tls or self._rules.requires_certificate(self._pair.remote):
                return self._fail(Cause.NO_TLS, "the other server does not offer TLS")
        if self._has_authenticated:
            return self._prove()
        if isinstance(self._purpose, Verify):
            return self._ask(self._purpose)
        return self._request_bidi(offered) + self._authenticate(offered)

    # -- STARTTLS (RFC 6120 §5)

    def _proceed(self, element: Element) -> list[Want]:
        self._expect(_Next.PROCEED)
        self.header_sent = False
        return [StartTLS(self._pair.remote)]

    def _no_tls(self, element: Element) -> list[Want]:
        self._expect(_Next.PROCEED)
        return self._fail(Cause.NO_TLS, "the other server offers TLS, but cannot begin it")

    # -- proving our side

    def _request_bidi(self, offered: features.Features) -> list[Want]:
        self._has_bidi = offered.bidi and self._policy.offers_bidi and self._proves is not None
        return [Write(features.bidi(self._policy.stanza_bytes))] if self._has_bidi else []

    def _authenticate(self, offered: features.Features) -> list[Want]:
        if offered.external and self._proves is not None:
            self._next = _Next.SUCCESS
            identity = base64.b64encode(self._pair.local.encode()).decode()
            return [Write(f"<auth xmlns='{ns.SASL}' mechanism='{features.EXTERNAL}'>{identity}</auth>")]
        return self._show_key("the other server offers no way to authenticate")

    def _success(self, element: Element) -> list[Want]:
        self._expect(_Next.SUCCESS)
        self._has_authenticated = True
        return [Restart(), *self._open()]

    def _failure(self, element: Element) -> list[Want]:
        self._expect(_Next.SUCCESS)
        said = told_by_peer(element, "the other server answers our certificate").text
        return self._show_key(f"{said}, and offers no other way")

    def _show_key(self, otherwise: str) -> list[Want]:
        assert self._header is not None
        assert self._offered is not None
        if not self._offered.dialback or not self._header.id:
            return self._fail(Cause.AUTHENTICATION, otherwise)
        self._next = _Next.RESULT
        local, remote = self._pair
        key = self._rules.key(local, remote, self._header.id)
        return [Write(dialback.request(dialback.RESULT, local, remote, key))]

    def _result(self, element: Element) -> list[Want]:
        answer = dialback.read(element)
        if isinstance(answer, dialback.Request):
            return self._refer_elsewhere(answer)
        self._expect(_Next.RESULT)
        self._correlate(answer, "")
        if answer.verdict is Verdict.VALID:
            return self._prove()
        if answer.verdict is Verdict.INVALID:
            return self._fail(Cause.AUTHENTICATION, "our own server, as the other one found it, disowns our key")
        if answer.error is None:
            return self._fail(Cause.AUTHENTICATION, "the other server cannot check our key")
        trouble = told_by_peer(answer.error, "the other server answers our key")
        cause = trouble.cause if trouble.cause is Cause.HOST_UNKNOWN else Cause.AUTHENTICATION
        return self._fail(cause, trouble.text)

    def _correlate(self, answer: dialback.Answer, id: str) -> None:
        """What was asked, and nothing else, can be answered (XEP-0220 §3.1). Raises StreamError."""
        if (answer.to, answer.sender) != self._pair or (id and answer.id != id):
            raise StreamError("not-authorized", "nobody has asked for that")

    def _prove(self) -> list[Want]:
        self._next = _Next.NOTHING
        self.is_proven = True
        if not self._has_bidi:
            return [Sends(self._pair)]
        self._proven.pairs.add(self._pair)
        return [Sends(self._pair), Receives(self._pair)]

    def _refer_elsewhere(self, request: dialback.Request) -> list[Want]:
        """The peer wants something proven on a stream of ours (XEP-0288 §2.2): it takes one of its own for that."""
        error = StanzaError("resource-constraint", "open another connection")
        return [Write(dialback.answer(request, Verdict.ERROR, error))]

    # -- asking about a key (XEP-0220 §2.1.2)

    def _ask(self, purpose: Verify) -> list[Want]:
        self._next = _Next.VERDICT
        local, remote = self._pair
        return [Write(dialback.request(dialback.VERIFY, local, remote, purpose.key, purpose.stream_id))]

    def _verdict(self, element: Element) -> list[Want]:
        answer = dialback.read(element)
        if isinstance(answer, dialback.Request):
            return self._refer_elsewhere(answer)
        self._expect(_Next.VERDICT)
        assert isinstance(self._purpose, Verify)
        self._correlate(answer, self._purpose.stream_id)
        said = ": ".join(filter(None, words_of(answer.error))) if answer.error is not None else ""
        done = Trouble(Cause.STREAM, "the key is verified")
        return [Verified(answer.verdict, said), End(done)]

    # -- the rest

    def _error(self, element: Element) -> list[Want]:
        """RFC 6120 §4.9.1.1: whoever sends a stream error closes its stream."""
        return [End(told_by_peer(element, CLOSED.text))]


_TURNS: Final[Mapping[str, Callable[[OutgoingStream, Element], list[Want]]]] = {
    features.FEATURES: OutgoingStream._features,
    "{%s}proceed" % ns.TLS: OutgoingStream._proceed,
    "{%s}failure" % ns.TLS: OutgoingStream._no_tls,
    "{%s}success" % ns.SASL: OutgoingStream._success,
    "{%s}failure" % ns.SASL: OutgoingStream._failure,
    dialback.RESULT: OutgoingStream._result,
    dialback.VERIFY: OutgoingStream._verdict,
    STREAM_ERROR: OutgoingStream._error,
}
