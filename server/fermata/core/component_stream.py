"""How an external component's stream is negotiated, and whom it may send as (XEP-0114 §3).

`ComponentStream` takes what the parser yields and returns what is to be done, in order, up to `Accept`.
"""

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from ..xmpp.element import Element, escape
from ..xmpp.errors import StreamError
from ..xmpp.jid import JID, JIDError
from .c2s_stream import STREAM_ERROR, End, Write
from .xmlstream import RefusedStanza, StreamEnd, StreamEvent, StreamHeader

# XEP-0114 knows no versions: who reads one here waits for stream features.
_HEADER: Final = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept'"
    " xmlns:stream='http://etherx.jabber.org/streams' id='{id}' from='{domain}'>"
)


@dataclass(frozen=True, slots=True)
class Accept:
    """The component has proven to be the one for this domain; then send it this."""

    domain: str
    xml: str = "<handshake/>"


Want = Write | Accept | End


class ComponentStream:
    """One external component's stream until it is accepted; `secrets` are those of all components, by domain."""

    def __init__(self, secrets: Mapping[str, str], new_id: Callable[[], str]) -> None:
        self._secrets, self._new_id = secrets, new_id
        self._id = ""
        self.domain = ""  #: what the peer calls itself; empty if it has named no address
        self.header_sent = False

    def opening(self) -> str:
        """Our own stream header: it must stand before anything else, a stream error included."""
        self.header_sent = True
        self._id = self._new_id()
        return _HEADER.format(id=escape(self._id), domain=escape(self.domain))

    def receive(self, event: StreamEvent) -> list[Want]:
        """Takes one event of the stream. Raises StreamError."""
        if isinstance(event, StreamHeader):
            return self._opened(event)
        if isinstance(event, StreamEnd):
            return [End()]
        if isinstance(event, RefusedStanza):
            raise StreamError("policy-violation", event.text)
        if event.tag == STREAM_ERROR:
            return [End()]
        if event.tag != "handshake":
            raise StreamError("not-authorized", "shake hands first")
        return self._shaken(event)

    def _opened(self, header: StreamHeader) -> list[Want]:
        try:
            self.domain = JID.parse(header.to)
        except JIDError:
            raise StreamError("host-unknown", "`to` must be the domain of a component") from None
        if self.domain not in self._secrets:
            raise StreamError("host-unknown", "there is no component with that domain")
        return [Write(self.opening())]

    def _shaken(self, handshake: Element) -> list[Want]:
        expected = digest(self._id, self._secrets[self.domain])
        if not hmac.compare_digest((handshake.text or "").encode(), expected.encode()):
            raise StreamError("not-authorized", "the secret is another one")
        return [Accept(self.domain)]


def digest(stream_id: str, secret: str) -> str:
    """What a component must say to prove that it knows the secret: SHA-1 of both, in lower-case hex (XEP-0114 §3)."""
    return sha1((stream_id + secret).encode()).hexdigest()


def sender_of(stanza: Element, domains: Collection[str]) -> JID:
    """The prepared sender of what a component of these domains sends, written back into the stanza.

    The first domain is meant where none is stated. Raises StreamError `invalid-from` for anybody at another domain.
    """
    stated = stanza.get("from")
    try:
        sender = JID.parse(stated if stated is not None else next(iter(domains)))
    except JIDError:
        raise StreamError("invalid-from", "`from` is no address") from None
    if sender.domain not in domains:
        raise StreamError("invalid-from", f"a component may not send from {sender.domain}")
    if sender != stated:
        stanza.set("from", sender)
    return sender
