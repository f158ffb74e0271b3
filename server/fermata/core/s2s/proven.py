"""The pairs that a peer has proven on one stream, and whether a stanza keeps to them (RFC 6120 §8.1)."""

from collections.abc import Callable

from ...xmpp.element import Element
from ...xmpp.errors import StanzaError, StreamError
from ...xmpp.jid import JID, JIDError
from .pair import Pair


class Proven:
    """Pairs of which the peer may send stanzas; `is_served` tells our own domains."""

    __slots__ = ("_is_served", "pairs")

    def __init__(self, is_served: Callable[[str], bool]) -> None:
        self._is_served = is_served
        self.pairs: set[Pair] = set()

    def check(self, stanza: Element) -> tuple[JID, JID]:
        """The addressee and the sender, prepared; the stanza's attributes are so from now on.

        Raises StreamError for what no honest server sends; StanzaError `jid-malformed` if only the localpart or the
        resource is none by our rules: the peer's may be older ones, and its other users are not to suffer for that.
        """
        to_text, from_text = stanza.get("to"), stanza.get("from")
        if not to_text or not from_text:
            raise StreamError("improper-addressing", "between servers, a stanza has `to` and `from`")
        try:
            to, sender = JID.parse(to_text), JID.parse(from_text)
        except JIDError as error:
            self.domains(stanza)
            raise StanzaError("jid-malformed", str(error)) from None
        if (to.domain, sender.domain) not in self.pairs:
            raise self._wrong(to, sender)
        if to != to_text:
            stanza.set("to", to)
        if sender != from_text:
            stanza.set("from", sender)
        return to, sender

    def domains(self, stanza: Element) -> tuple[JID, JID]:
        """Of a stanza whose addresses are malformed: the domains, which must be right all the same.

        Raises StreamError.
        """
        try:
            to, sender = _domain_of(stanza.get("to", "")), _domain_of(stanza.get("from", ""))
        except JIDError:
            raise StreamError("improper-addressing", "that is no address") from None
        if (to, sender) not in self.pairs:
            raise self._wrong(to, sender)
        return to, sender

    def _wrong(self, to: JID, sender: JID) -> StreamError:
        if not self.pairs:
            return StreamError("not-authorized", "no domain has been proven on this stream")
        if all(pair.remote != sender.domain for pair in self.pairs):
            return StreamError("invalid-from", f"{sender.domain} has not been proven on this stream")
        if not self._is_served(to.domain):
            return StreamError("host-unknown", f"{to.domain} is not here, and nothing is passed on")
        return StreamError("improper-addressing", f"{sender.domain} has not been proven to {to.domain} on this stream")


def _domain_of(text: str) -> JID:
    """The domain of an address, whatever else is in it. Raises JIDError."""
    before, at, after = text.partition("/")[0].partition("@")
    return JID.parse(after if at else before)
