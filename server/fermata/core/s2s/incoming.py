"""How a stream that another server has opened is negotiated, and what has been proven on it.

RFC 6120 §4-6 and §13.7, XEP-0178 (SASL EXTERNAL), XEP-0220 (dialback), XEP-0288 (bidirectional streams).
`IncomingStream` takes what the parser yields and returns what is to be done, in order. From the first pair that is
proven on, stanzas go through `check` instead, and all else still comes here: a peer may prove further pairs.
"""

from collections.abc import Callable, Mapping
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError, StreamError
from ...xmpp.jid import JID, JIDError
from ..c2s_stream import STREAM_ERROR, failed
from ..xmlstream import RefusedStanza, StreamEnd, StreamEvent, StreamHeader
from . import dialback, features
from .external import ABORT, AUTH, RESPONSE, External
from .pair import Pair, Verdict
from .proven import Proven
from .trouble import CLOSED, Cause, Trouble, told_by_peer
from .wants import Ask, End, Policy, Proves, Receives, Sends, StartTLS, Want, Write

_ASKED_AT_ONCE: Final = 8  # each question costs a connection to whomever the peer names
_ASKED: Final = 64  # in the life of a stream
_PAIRS: Final = 64
_ABSENT: Final = "no certificate"


class IncomingStream:
    """One stream of another server's."""

    def __init__(self, policy: Policy, new_id: Callable[[], str]) -> None:
        self._policy, self._rules, self._new_id = policy, policy.rules, new_id
        self._local = self._remote = ""  # what the header says
        self._id = ""
        self._proves: Proves | None = None
        self._external: Pair | None = None  # what SASL has proven; it holds from the next header on
        self._attempts = External()
        self._has_bidi = False
        self._asked: dict[Ask, dialback.Request] = {}
        self._asked_ever = 0
        self._proven = Proven(self._rules.is_served)
        self.header_sent = False
        self.proof = ""  #: how the peer has proven its domain: "certificate"; "dialback" if any pair needed that
        self.offers_management = False  #: who opens a stream lists no features
        self.stanza_bytes = 0  #: the largest stanza that the peer takes; 0 if it has not said
        self.is_complete = False  #: no pair may be proven besides those that are
        self.check = self._proven.check  #: see Proven
        self.domains = self._proven.domains

    @property
    def is_proven(self) -> bool:
        """Whether any pair has been proven."""
        return bool(self._proven.pairs)

    @property
    def peer(self) -> str:
        """What the peer calls itself; empty if it has not said."""
        return self._remote

    def secured(self, proves: Proves) -> None:
        """TLS is on; `proves` says what the certificate is worth that the peer has shown."""
        self._proves = proves
        self.header_sent = False

    def opening(self) -> str:
        """Our own stream header: it must stand before anything else, a stream error included (RFC 6120 §4.9.1.2)."""
        self.header_sent = True
        self._id = self._new_id()
        return features.opening(self._local, self._remote, self._id)

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
            raise StreamError("unsupported-stanza-type" if self.is_proven else "not-authorized")
        return turn(self, event)

    # -- the header and the features (RFC 6120 §4.3, §4.7)

    def _opened(self, header: StreamHeader) -> list[Want]:
        local, remote = _domain(header.to), _domain(header.from_)
        if not local or not self._rules.is_served(local):
            raise StreamError("host-unknown")
        if self._external is not None and self._external != (local, remote):
            raise StreamError("invalid-from", "you have authenticated for other domains")
        self._local = local
        if header.from_ and not remote:
            raise StreamError("improper-addressing", "`from` is no domain")
        self._remote = remote
        if not header.is_versioned:
            raise StreamError("unsupported-version", "XMPP 1.0 is spoken here")
        if remote and self._rules.is_blocked(remote):
            raise StreamError("policy-violation", f"{remote} is blocked here")
        if self._rules.is_served(remote):
            raise StreamError("invalid-from", f"{remote} is here")
        wants: list[Want] = [Write(self.opening() + self._features())]
        return wants if self._external is None else wants + self._prove(self._external, "certificate")

    def _features(self) -> str:
        """SASL is offered only to whom it will succeed for (XEP-0178 §3)."""
        is_secure, is_known = self._proves is not None, self._external is not None
        may_speak = (is_secure or not self._policy.require_tls) and not is_known
        return features.offer(
            starttls=not is_secure,
            requires_tls=self._policy.require_tls,
            external=may_speak and bool(self._remote) and not self._words_against(self._remote),
            dialback=may_speak and not (self._remote and self._doubts(self._remote)),
            bidi=is_secure and not is_known and self._policy.offers_bidi,
            management=is_secure or not self._policy.require_tls,
            limit=self._policy.stanza_bytes,
        )

    def _words_against(self, domain: str) -> str:
        """Why the peer's certificate does not prove a domain; empty if it does."""
        return self._proves(domain) if self._proves is not None else _ABSENT

    def _doubts(self, domain: str) -> bool:
        """Whether a domain needs a certificate, and has none here."""
        return self._rules.requires_certificate(domain) and bool(self._words_against(domain))

    # -- STARTTLS (RFC 6120 §5)

    def _starttls(self, element: Element) -> list[Want]:
        if self._proves is not None or self.is_proven or self._asked:
            trouble = Trouble(Cause.STREAM, "it wanted TLS where there can be none")
            return [Write(f"<failure xmlns='{ns.TLS}'/>"), End(trouble)]
        return [Write(f"<proceed xmlns='{ns.TLS}'/>"), StartTLS(self._local)]

    # -- bidirectional streams (XEP-0288)

    def _bidi(self, element: Element) -> list[Want]:
        if self._proves is None or self._external or self.is_proven or not self._policy.offers_bidi:
            raise StreamError("policy-violation", "bidirectional streams begin after TLS and before authentication")
        self._has_bidi = True
        self.stanza_bytes = features.stanza_bytes(element)
        return []

    # -- SASL EXTERNAL (RFC 6120 §6, XEP-0178 §3)

    def _authenticate(self, element: Element) -> list[Want]:
        if self._external is not None or self.is_proven or self._asked:
            raise StreamError("not-authorized", "there is nothing to authenticate")
        wants = self._attempts.receive(element, self._remote, self._proves)
        if self._attempts.has_succeeded:
            self._external = Pair(self._local, self._remote)
            self.header_sent = False
        return wants

    # -- dialback: somebody wants to prove a domain (XEP-0220 §2.2.1)

    def _result(self, element: Element) -> list[Want]:
        request = self._request(element)
        pair = Pair(request.to, request.sender)
        if pair in self._proven.pairs:
            return [Write(dialback.answer(request, Verdict.VALID))]
        error = self._objection(request) or self._too_much(pair)
        if error is not None:
            return [Write(dialback.answer(request, Verdict.ERROR, error))]
        if not self._words_against(pair.remote):
            # The certificate says more than the domain's own server could (XEP-0344 §2.4).
            return [Write(dialback.answer(request, Verdict.VALID)), *self._prove(pair, "certificate")]
        ask = Ask(pair, self._id, request.key)
        self._asked[ask] = request
        self._asked_ever += 1
        return [ask]

    def _request(self, element: Element) -> dialback.Request:
        """Nobody is asked anything over a stream that he has opened: so an answer is a forgery (XEP-0220 §3.1)."""
        request = dialback.read(element)
        if isinstance(request, dialback.Answer):
            raise StreamError("not-authorized", "nobody has asked for that")
        return request

    def _objection(self, request: dialback.Request) -> StanzaError | None:
        """What speaks against dealing with a pair at all (§2.5)."""
        if not self._rules.is_served(request.to):
            return StanzaError("item-not-found", f"{request.to} is not here")
        if self._proves is None and self._policy.require_tls:
            return StanzaError("policy-violation", "TLS comes first")
        if self._rules.is_blocked(request.sender):
            return StanzaError("policy-violation", f"{request.sender} is blocked here")
        if self._rules.is_served(request.sender):
            return StanzaError("not-acceptable", f"{request.sender} is here")
        if request.tag == dialback.RESULT and self._doubts(request.sender):
            return StanzaError("not-authorized", f"a certificate is required: {self._words_against(request.sender)}")
        return None

    def _too_much(self, pair: Pair) -> StanzaError | None:
        if any(ask.pair == pair for ask in self._asked):
            return StanzaError("resource-constraint", "that pair is being asked about")
        if self._asked_ever >= _ASKED and not self.is_proven:
            raise StreamError("policy-violation", "too many domains, and none of them proven")
        is_full = len(self._asked) >= _ASKED_AT_ONCE or self._asked_ever >= _ASKED or len(self._proven.pairs) >= _PAIRS
        return StanzaError("resource-constraint", "open another connection") if is_full or self.is_complete else None

    def answered(self, ask: Ask, verdict: Verdict) -> list[Want]:
        """What the authoritative server says of the key that it was asked about.

        Why it could not be asked the peer is not told: strangers are not to have our network explored for them.
        """
        request, pair = self._asked.pop(ask), ask.pair
        if verdict is Verdict.VALID and self.is_complete:
            error = StanzaError("resource-constraint", "open another connection")
            return [Write(dialback.answer(request, Verdict.ERROR, error))]
        if verdict is Verdict.VALID:
            return [Write(dialback.answer(request, verdict)), *self._prove(pair, "dialback")]
        if verdict is Verdict.ERROR:
            return [Write(dialback.answer(request, verdict, StanzaError("remote-server-timeout")))]
        refusal = Write(dialback.answer(request, verdict))
        if self.is_proven or self._asked:
            return [refusal]
        return [refusal, End(Trouble(Cause.STREAM, f"the dialback key for {pair.remote} is forged"))]

    # -- dialback: somebody was shown a key of ours, or what claims to be one (XEP-0220 §2.2.2)

    def _verify(self, element: Element) -> list[Want]:
        request = self._request(element)
        error = self._objection(request)
        if error is not None:
            return [Write(dialback.answer(request, Verdict.ERROR, error))]
        ours = self._rules.key(request.to, request.sender, request.id)
        return [
            Write(dialback.answer(request, Verdict.VALID if dialback.is_same(ours, request.key) else Verdict.INVALID))
        ]

    # -- what is proven, and the rest

    def _prove(self, pair: Pair, proof: str) -> list[Want]:
        self._proven.pairs.add(pair)
        self.proof = self.proof if self.proof == "dialback" else proof
        return [Sends(pair), Receives(pair)] if self._has_bidi else [Receives(pair)]

    def _management(self, element: Element) -> list[Want]:
        """XEP-0198 §3: only a stream on which something is proven can be managed."""
        return [Write(failed("unexpected-request"))]

    def _error(self, element: Element) -> list[Want]:
        """RFC 6120 §4.9.1.1: whoever sends a stream error closes its stream."""
        return [End(told_by_peer(element, CLOSED.text))]


def _domain(text: str) -> str:
    """The domain that an attribute names, prepared; empty if it names none."""
    try:
        jid = JID.parse(text)
    except JIDError:
        return ""
    return jid.domain if jid == jid.domain else ""


_TURNS: Final[Mapping[str, Callable[[IncomingStream, Element], list[Want]]]] = {
    "{%s}starttls" % ns.TLS: IncomingStream._starttls,
    "{%s}bidi" % ns.BIDI: IncomingStream._bidi,
    AUTH: IncomingStream._authenticate,
    RESPONSE: IncomingStream._authenticate,
    ABORT: IncomingStream._authenticate,
    dialback.RESULT: IncomingStream._result,
    dialback.VERIFY: IncomingStream._verify,
    **{"{%s}%s" % (ns.SM, name): IncomingStream._management for name in ("enable", "resume", "r", "a")},
    STREAM_ERROR: IncomingStream._error,
}
