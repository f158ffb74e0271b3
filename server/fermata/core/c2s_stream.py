"""How a client's stream is negotiated: TLS, SASL, then binding or resuming (RFC 6120 §4–7, XEP-0198 §5).

`ClientStream` takes what the parser yields and returns what is to be done, in order. Once the shell has bound or
resumed a session, stanzas go to that session and this machine has nothing more to do.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, child, escape, serialise
from ..xmpp.errors import SASLError, StanzaError, StreamError
from ..xmpp.jid import JID, JIDError
from .c2s_registration import CLOSED, Preauthorise, Register, Registering, Terms
from .sasl.credentials import ScramKeys
from .sasl.mechanism import Challenge, Mechanism, NeedCredentials, Realm, Success, Verify
from .sasl.mechanism import Step as SASLStep
from .sasl.selection import begin, offered
from .xmlstream import RefusedStanza, StreamEnd, StreamEvent, StreamHeader


@dataclass(frozen=True, slots=True)
class Write:
    """Send this."""

    xml: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Send this: an attempt to authenticate has failed."""

    xml: str


@dataclass(frozen=True, slots=True)
class StartTLS:
    """Begin TLS for this domain; then call `secured`. Nothing may have arrived behind the request."""

    domain: str


@dataclass(frozen=True, slots=True)
class Restart:
    """The peer will open the stream anew (RFC 6120 §6.4.6)."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Bind a resource for the authenticated account; empty means: choose one."""

    iq: Element
    resource: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Resume the session with that id; the client has handled `h` stanzas (XEP-0198 §5)."""

    previd: str
    h: int


@dataclass(frozen=True, slots=True)
class End:
    """Close the stream, with an error if there is one."""

    error: StreamError | None = None


Want = Write | Refuse | StartTLS | Restart | NeedCredentials | Verify | Preauthorise | Register | Bind | Resume | End


@dataclass(frozen=True, slots=True)
class Policy:
    """What is the same for every client: who may do what before it is known, and what is offered after that.

    `tls_available` and `require_tls` say what TLS is to us; `failures` how many attempts to authenticate a stream has
    (RFC 6120 §6.4.5); `limits_before` and `features_after` are stream features as XML; `registration` says who may make
    an account.
    """

    realms: Mapping[str, Realm]
    require_tls: bool
    limits_before: str
    features_after: str
    tls_available: bool = True
    failures: int = 3
    registration: Terms = CLOSED


_HEADER: Final = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    " version='1.0' xml:lang='en' id='{id}' from='{domain}'{to}>"
)


class ClientStream:
    """One client's stream until it has a session."""

    def __init__(self, policy: Policy, new_id: Callable[[], str]) -> None:
        self._policy, self._new_id = policy, new_id
        self._realm: Realm | None = None
        self._peer = ""
        self.header_sent = False
        self._secure = False
        self._bindings: Mapping[str, bytes] = {}
        self._attempt: Mechanism | None = None
        self._failures = 0
        self._is_disabled = False
        self._registering = Registering(policy.registration)
        self.account: JID | None = None  #: who the client has proven to be

    @property
    def domain(self) -> str:
        """The domain that the client has connected to."""
        return self._realm.domain if self._realm else next(iter(self._policy.realms))

    def secured(self, bindings: Mapping[str, bytes]) -> None:
        """TLS is on; `bindings` are its channel bindings by type."""
        self._secure, self._bindings = True, bindings
        self.header_sent = False

    def receive(self, event: StreamEvent) -> list[Want]:
        """Takes one event of the stream. Raises StreamError."""
        if isinstance(event, StreamHeader):
            return self._opened(event)
        if isinstance(event, StreamEnd):
            return [End()]
        if isinstance(event, RefusedStanza):
            raise StreamError("policy-violation", event.text)
        try:
            turn = _TURNS[event.tag]
        except KeyError:
            raise StreamError("unsupported-stanza-type" if self.account else "not-authorized") from None
        return turn(self, event)

    def opening(self) -> str:
        """Our own stream header: it must stand before anything else, a stream error included (RFC 6120 §4.9.1.2)."""
        self.header_sent = True
        to = f" to='{escape(self._peer)}'" if self._peer else ""
        return _HEADER.format(id=self._new_id(), domain=self.domain, to=to)

    # -- the header and the features (RFC 6120 §4.3, §4.7)

    def _opened(self, header: StreamHeader) -> list[Want]:
        realm = self._realm_of(header.to)
        if self._realm is not None and self.account is not None and realm is not self._realm:
            raise StreamError("host-unknown", "you have authenticated with another domain")
        self._realm = realm
        self._peer = header.from_
        if not header.is_versioned:
            raise StreamError("unsupported-version", "XMPP 1.0 is spoken here")
        return [Write(self.opening() + f"<stream:features>{self._features()}</stream:features>")]

    def _realm_of(self, to: str) -> Realm:
        if not to and len(self._policy.realms) == 1:
            return next(iter(self._policy.realms.values()))
        try:
            return self._policy.realms[JID.parse(to)]
        except (JIDError, KeyError):
            raise StreamError("host-unknown") from None

    def _features(self) -> str:
        if self.account is not None:
            return self._policy.features_after
        tls = mechanisms = ""
        if not self._secure and self._policy.tls_available:
            required = "<required/>" if self._policy.require_tls else ""
            tls = f"<starttls xmlns='{ns.TLS}'>{required}</starttls>"
        if self._secure or not self._policy.require_tls:
            names = "".join(f"<mechanism>{name}</mechanism>" for name in self._offered())
            mechanisms = f"<mechanisms xmlns='{ns.SASL}'>{names}</mechanisms>"
            if self._bindings:
                types = "".join(f"<channel-binding type='{type}'/>" for type in self._bindings)
                mechanisms += f"<sasl-channel-binding xmlns='{ns.CHANNEL_BINDING}'>{types}</sasl-channel-binding>"
            mechanisms += self._registering.features()
        return tls + mechanisms + self._policy.limits_before

    def _offered(self) -> tuple[str, ...]:
        return offered(self._secure, self._bindings, plain_in_clear=not self._policy.require_tls)

    # -- STARTTLS (RFC 6120 §5)

    def _starttls(self, element: Element) -> list[Want]:
        if self._secure or self.account is not None or self._realm is None or not self._policy.tls_available:
            return [Write(f"<failure xmlns='{ns.TLS}'/>"), End()]
        return [Write(f"<proceed xmlns='{ns.TLS}'/>"), StartTLS(self._realm.domain)]

    # -- SASL (RFC 6120 §6)

    def _auth(self, element: Element) -> list[Want]:
        if self.account is not None or self._realm is None:
            raise StreamError("not-authorized", "there is nothing to authenticate")
        if self._policy.require_tls and not self._secure:
            return self._refused(SASLError("encryption-required"))
        try:
            self._attempt = begin(
                element.get("mechanism", ""), self._offered(), self._realm, self._new_id(), self._bindings
            )
            return self._step(self._attempt.respond(_decoded(element)))
        except SASLError as error:
            return self._refused(error)

    def _response(self, element: Element) -> list[Want]:
        if self._attempt is None:
            raise StreamError("not-authorized", "nothing was asked")
        try:
            return self._step(self._attempt.respond(_decoded(element) or b""))
        except SASLError as error:
            return self._refused(error)

    def _abort(self, element: Element) -> list[Want]:
        return self._refused(SASLError("aborted"))

    def credentials(self, keys: list[ScramKeys], is_disabled: bool = False) -> list[Want]:
        """Answers NeedCredentials; who proves to be the owner of a disabled account is told. Raises StreamError."""
        self._is_disabled = is_disabled
        return self._go_on(lambda attempt: attempt.credentials(keys))

    def verified(self, matches: bool) -> list[Want]:
        """Answers Verify. Raises StreamError."""
        return self._go_on(lambda attempt: attempt.verified(matches))

    def refused(self, condition: str) -> list[Want]:
        """Ends the attempt for a reason that lies outside it: `temporary-auth-failure`. Raises StreamError."""
        return self._refused(SASLError(condition))

    def _go_on(self, ask: Callable[[Mechanism], SASLStep]) -> list[Want]:
        if self._attempt is None:
            return []
        try:
            return self._step(ask(self._attempt))
        except SASLError as error:
            return self._refused(error)

    def _step(self, step: SASLStep) -> list[Want]:
        if isinstance(step, Challenge):
            return [Write(f"<challenge xmlns='{ns.SASL}'>{_encoded(step.data)}</challenge>")]
        if not isinstance(step, Success):
            return [step]
        if self._is_disabled:
            raise SASLError("account-disabled", "the account is disabled")
        assert self._realm is not None
        self._attempt = None
        self.account = JID.of(step.username, self._realm.domain)
        self.header_sent = False
        return [Write(f"<success xmlns='{ns.SASL}'>{_encoded(step.data)}</success>"), Restart()]

    def _refused(self, error: SASLError) -> list[Want]:
        self._attempt = None
        self._failures += 1
        text = f"<text xml:lang='en'>{escape(error.text)}</text>" if error.text else ""
        failure = Refuse(f"<failure xmlns='{ns.SASL}'><{error.condition}/>{text}</failure>")
        if self._failures < self._policy.failures:
            return [failure]
        return [failure, End(StreamError("policy-violation", "too many attempts to authenticate"))]

    # -- making an account (XEP-0077, XEP-0445)

    def _register(self, iq: Element) -> list[Want]:
        if self._realm is None or not iq.get("id"):
            raise StreamError("not-authorized")
        is_secure = self._secure or not self._policy.require_tls
        want = self._registering.receive(iq, self._realm.domain, is_secure)
        return [Write(serialise(want)) if isinstance(want, Element) else want]

    def preauthorised(self, want: Preauthorise, localpart: str | StanzaError) -> list[Want]:
        """Answers Preauthorise: the localpart that the token is for, empty for any; or why it is not good."""
        return [Write(serialise(self._registering.preauthorised(want, localpart)))]

    def registered(self, want: Register, error: StanzaError | None) -> list[Want]:
        """Answers Register: None if the account is made, or why it could not be."""
        return [Write(serialise(self._registering.registered(want, error)))]

    # -- binding and resuming (RFC 6120 §7, XEP-0198 §5)

    def _iq(self, iq: Element) -> list[Want]:
        if self.account is None:
            return self._register(iq)
        bind = child(iq, "{%s}bind" % ns.BIND)
        if bind is None or iq.get("type") != "set" or not iq.get("id"):
            raise StreamError("not-authorized", "bind a resource first")
        resource = child(bind, "{%s}resource" % ns.BIND)
        return [Bind(iq, (resource.text or "") if resource is not None else "")]

    def _resume(self, element: Element) -> list[Want]:
        if self.account is None:
            return [Write(failed("unexpected-request"))]
        try:
            return [Resume(element.get("previd", ""), int(element.get("h", "")))]
        except ValueError:
            return [Write(failed("bad-request"))]

    def _enable(self, element: Element) -> list[Want]:
        """XEP-0198 §3: only a bound stream can be managed."""
        return [Write(failed("unexpected-request"))]

    def _error(self, element: Element) -> list[Want]:
        """RFC 6120 §4.9.1.1: whoever sends a stream error closes its stream."""
        return [End()]

    def _stanza(self, element: Element) -> list[Want]:
        raise StreamError("not-authorized", "authenticate and bind first")


def failed(condition: str, h: int | None = None) -> str:
    """XEP-0198 `<failed/>`, with how far the session got if we know."""
    counted = "" if h is None else f" h='{h}'"
    return f"<failed xmlns='{ns.SM}'{counted}><{condition} xmlns='{ns.STANZA_ERRORS}'/></failed>"


def stream_error(error: StreamError) -> str:
    """A stream error as it is sent, closing tag included (RFC 6120 §4.9)."""
    element = E("{%s}error" % ns.STREAMS, {}, E("{%s}%s" % (ns.STREAM_ERRORS, error.condition)))
    if error.text:
        element.append(E("{%s}text" % ns.STREAM_ERRORS, {"{%s}lang" % ns.XML: "en"}, error.text))
    inner = "".join(serialise(item) for item in element)
    return f"<stream:error>{inner}{error.detail}</stream:error></stream:stream>"


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(element: Element) -> bytes | None:
    """The octets of a SASL element: None where there are none, empty for `=` (RFC 6120 §6.4.2)."""
    text = element.text or ""
    if text in ("", "="):
        return b"" if text else None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SASLError("incorrect-encoding") from None


STREAM_ERROR: Final = "{%s}error" % ns.STREAMS
_TURNS: Final[Mapping[str, Callable[[ClientStream, Element], list[Want]]]] = {
    "{%s}starttls" % ns.TLS: ClientStream._starttls,
    "{%s}auth" % ns.SASL: ClientStream._auth,
    "{%s}response" % ns.SASL: ClientStream._response,
    "{%s}abort" % ns.SASL: ClientStream._abort,
    "{%s}resume" % ns.SM: ClientStream._resume,
    "{%s}enable" % ns.SM: ClientStream._enable,
    STREAM_ERROR: ClientStream._error,
    "iq": ClientStream._iq,
    "message": ClientStream._stanza,
    "presence": ClientStream._stanza,
}
