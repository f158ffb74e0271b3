"""SASL EXTERNAL, as the accepting side of a stream between servers takes it (RFC 6120 §6, XEP-0178 §3)."""

import base64
import binascii
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, escape, local_name
from ...xmpp.errors import SASLError, StreamError
from ...xmpp.jid import JID, JIDError
from .features import EXTERNAL
from .trouble import found_here
from .wants import End, Proves, Restart, Want, Write

AUTH, RESPONSE, ABORT = ("{%s}%s" % (ns.SASL, name) for name in ("auth", "response", "abort"))
_FAILURES: Final = 3  # so often may the peer try (RFC 6120 §6.4.5)


class External:
    """The attempts on one stream."""

    def __init__(self) -> None:
        self._awaits_response = False
        self._failures = 0
        self.has_succeeded = False

    def receive(self, element: Element, peer: str, proves: Proves | None) -> list[Want]:
        """Takes `<auth/>`, `<response/>` or `<abort/>` from who calls himself `peer`. Raises StreamError.

        `proves` says what his certificate is worth; None if there is no TLS.
        """
        try:
            if element.tag == AUTH:
                if element.get("mechanism") != EXTERNAL or proves is None:
                    raise SASLError("invalid-mechanism")
                if not element.text:
                    self._awaits_response = True
                    return [Write(f"<challenge xmlns='{ns.SASL}'/>")]
            elif not self._awaits_response:
                raise StreamError("not-authorized", f"nothing was asked that <{local_name(element)}/> answers")
            self._awaits_response = False
            if element.tag == ABORT:
                raise SASLError("aborted")
            assert proves is not None
            _check(_decoded(element.text or ""), peer, proves)
        except SASLError as error:
            return self._refused(error)
        self.has_succeeded = True
        return [Write(f"<success xmlns='{ns.SASL}'/>"), Restart()]

    def _refused(self, error: SASLError) -> list[Want]:
        self._failures += 1
        text = f"<text xml:lang='en'>{escape(error.text)}</text>" if error.text else ""
        failure = Write(f"<failure xmlns='{ns.SASL}'><{error.condition}/>{text}</failure>")
        if self._failures < _FAILURES:
            return [failure]
        final = StreamError("policy-violation", "too many attempts to authenticate")
        return [failure, End(found_here(final), final)]


def _check(identity: str, peer: str, proves: Proves) -> None:
    """Raises SASLError unless the peer's certificate proves that he is who he wants to be."""
    if identity and not _names(identity, peer):
        raise SASLError("invalid-authzid")
    if not peer:
        raise SASLError("not-authorized", "the stream does not say whose it is")
    if words := proves(peer):
        raise SASLError("not-authorized", words)


def _names(identity: str, peer: str) -> bool:
    try:
        return JID.parse(identity) == peer
    except JIDError:
        return False


def _decoded(text: str) -> str:
    """The authorization identity in an element; `=` is an empty one (RFC 6120 §6.4.2)."""
    if text == "=":
        return ""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        raise SASLError("incorrect-encoding") from None
