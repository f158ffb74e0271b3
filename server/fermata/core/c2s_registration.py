"""Making an account before there is anybody to authenticate (XEP-0077 §3.1, XEP-0445): a client's stream, so far.

`Registering` answers a request at once, or says what has to be asked first; the answer then comes to it.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element, child, local_name
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID, JIDError
from ..xmpp.stanza import error_of, result_of

_QUERY: Final = "{%s}query" % ns.REGISTER
_PREAUTH: Final = "{%s}preauth" % ns.PARS
_REQUESTS_MAX: Final = 20  #: of one stream: nobody needs as many


class Terms(NamedTuple):
    """Who may make an account: anybody, or those whom somebody has invited."""

    is_open: bool = False
    by_invitation: bool = False


CLOSED: Final = Terms()


@dataclass(frozen=True, slots=True)
class Preauthorise:
    """Ask whether this token invites to make an account; then call `preauthorised`."""

    iq: Element
    token: str


@dataclass(frozen=True, slots=True)
class Register:
    """Make this account, by the invitation if there is one; then call `registered`."""

    iq: Element
    jid: JID
    password: str
    token: str


class Registering:
    """What a client that nobody knows yet may ask."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._token = self._localpart = ""
        self._requests = 0

    def features(self) -> str:
        """The stream features that tell of it."""
        is_open = f"<register xmlns='{ns.REGISTER_FEATURE}'/>" if self._terms.is_open else ""
        return is_open + (f"<register xmlns='{ns.REGISTER_TOKEN}'/>" if self._terms.by_invitation else "")

    def receive(self, iq: Element, domain: str, is_secure: bool) -> Element | Preauthorise | Register:
        """Takes a request to that domain: its answer, or what must be asked first. Raises StreamError."""
        payload = iq[0] if len(iq) == 1 else None
        type = iq.get("type")
        if payload is None or payload.tag not in (_QUERY, _PREAUTH) or type not in ("get", "set"):
            raise StreamError("not-authorized")
        self._requests += 1
        if self._requests > _REQUESTS_MAX:
            raise StreamError("policy-violation", "too many requests before authentication")
        try:
            if not is_secure:
                raise StanzaError("not-allowed", "begin TLS first")
            if payload.tag == _PREAUTH:
                return self._preauthorise(iq, payload, type)
            if not (self._terms.is_open or self._token):
                raise StanzaError("not-allowed", "nobody can register here without an invitation")
            return result_of(iq, self._form()) if type == "get" else self._register(iq, payload, domain)
        except StanzaError as error:
            return error_of(iq, error)

    def _preauthorise(self, iq: Element, preauth: Element, type: str) -> Preauthorise:
        token = preauth.get("token", "")
        if type != "set" or not token:
            raise StanzaError("bad-request", "a token is missing")
        if not self._terms.by_invitation:
            raise StanzaError("not-allowed", "there are no invitations here")
        return Preauthorise(iq, token)

    def preauthorised(self, want: Preauthorise, localpart: str | StanzaError) -> Element:
        """The answer to Preauthorise: the localpart that the token is for (empty: any), or why it is not good."""
        if isinstance(localpart, StanzaError):
            return error_of(want.iq, localpart)
        self._token, self._localpart = want.token, localpart
        return result_of(want.iq)

    def _form(self) -> Element:
        """What must be told (§3.1): the name may be fixed by the invitation."""
        username = E(_clark("username"), None, self._localpart) if self._localpart else E(_clark("username"))
        instructions = E(_clark("instructions"), None, "Choose a username and a password.")
        return E(_QUERY, None, instructions, username, E(_clark("password")))

    def _register(self, iq: Element, query: Element, domain: str) -> Register:
        if any(local_name(item) == "remove" for item in query):
            raise StanzaError("unexpected-request", "log in to remove an account", "cancel")
        username, password = (_text(query, name) for name in ("username", "password"))
        if not username or not password:
            raise StanzaError("not-acceptable", "a username and a password are needed")
        try:
            jid = JID.of(username, domain)
        except JIDError as error:
            raise StanzaError("not-acceptable", f"that can be no username: {error}") from None
        if self._localpart and jid.local != self._localpart:
            raise StanzaError("not-acceptable", f"the invitation is for {self._localpart}")
        return Register(iq, jid, password, self._token)

    def registered(self, want: Register, error: StanzaError | None) -> Element:
        """The answer to Register: None if the account is made, or why it could not be."""
        if error is not None:
            return _refusal(want.iq, error)
        self._token = self._localpart = ""
        return result_of(want.iq)


def _text(query: Element, name: str) -> str:
    found = child(query, _clark(name))
    return "" if found is None else found.text or ""


def _refusal(iq: Element, error: StanzaError) -> Element:
    """The error without what was sent: nobody needs the password back."""
    refusal = error_of(iq, error)
    refusal[:] = [item for item in refusal if item.tag == "error"]
    return refusal


def _clark(name: str) -> str:
    return "{%s}%s" % (ns.REGISTER, name)
