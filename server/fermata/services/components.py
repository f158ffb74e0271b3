"""External components: what they send, and what waits for one that is not there (XEP-0114).

A component that restarts, a room service above all, must cost nobody anything: what is for it waits a while before its
senders are told that it does not answer.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from ..core.component_stream import sender_of
from ..core.stored_xml import stanza_from
from ..host.origin import Clock, Origin, Timer
from ..host.pipeline import address, guarded_route
from ..host.router import Router
from ..host.sessions import Link, QueueLimits
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, child
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import check_iq
from .onward_spool import OnwardSpool

OUTAGE_SECONDS: Final = 60.0  #: how long stanzas wait for a component that takes none
_PING: Final = "{%s}ping" % ns.PING
_NO_COMPONENT: Final = "the component does not answer"


class FromComponent:
    """What happens to a stanza that a component sends, external or in this process."""

    def __init__(self, domains: Sequence[str], router: Router, origin: Origin) -> None:
        """It may send from these domains; `origin` is where answers to what it sends are given."""
        self.domains, self._router, self._origin = domains, router, origin

    def take(self, stanza: Element) -> None:
        """Checks and routes. Raises StreamError `invalid-from`, and then nothing has happened."""
        sender = sender_of(stanza, self.domains)
        try:
            if "to" not in stanza.attrib:
                raise StanzaError("bad-request", "a component has to say for whom a stanza is")
            to = address(stanza, sender)
            if stanza.tag == "iq":
                check_iq(stanza)
        except StanzaError as error:
            if error.condition == "jid-malformed":
                stanza.set("to", self.domains[0])  # where the error then comes from: it needs an address
            self._origin.refuse(stanza, error)
            return
        guarded_route(self._router, stanza, to, sender, self._origin)

    def take_refused(self, stanza: Element, error: StanzaError) -> None:
        """A stanza that was too much to be read. Raises StreamError as `take` does."""
        sender_of(stanza, self.domains)
        self._origin.refuse(stanza, error)


class _Waiting(NamedTuple):
    """A stanza, and who is told if it can't be handed over."""

    payload: Payload
    to: JID
    origin: Origin | None


class ExternalComponent:
    """A component that is connected, or is not (see host.router.Destination)."""

    def __init__(
        self, sent: FromComponent, relayed: Origin, spool: OnwardSpool, clock: Clock, limits: QueueLimits
    ) -> None:
        """`sent` takes what it sends; `relayed` is the origin of what is made here for it."""
        self.take, self.take_refused = sent.take, sent.take_refused
        self.link: Link | None = None
        self._relayed, self._spool, self._clock, self._limits = relayed, spool, clock, limits
        self._waiting: deque[_Waiting] = deque()
        self._waiting_size = 0  # in characters
        self._is_given_up = False  #: nobody need wait for it until it connects
        self._patience: Timer | None = None
        self._lose_patience_later()

    async def recover(self) -> None:
        """What waited when the process ended goes on waiting, before all that has come since."""
        for payload, to in reversed(await self._spool.load()):
            self._waiting.appendleft(_Waiting(payload, to, self._relayed))
            self._waiting_size += len(payload.rest)
        self.drain()

    # -- its connection

    def connected(self, link: Link) -> None:
        """It has a connection; one that it had is closed, since two would each get half of what is for it."""
        older, self.link = self.link, link
        if older is not None:
            older.end(StreamError("conflict", "the component has connected again"))
        self._is_given_up = False
        self._forget_patience()
        self.drain()

    def lost(self, link: Link) -> None:
        """A connection is gone."""
        if self.link is link:
            self.link = None
            self._lose_patience_later()

    def drain(self) -> None:
        """Writes what waits, as far as the connection can take it."""
        waiting = self._waiting
        if waiting:
            self._forget_patience()
        while waiting and (link := self.link) is not None and not link.paused:
            payload, to, _ = waiting.popleft()
            self._waiting_size -= len(payload.rest)
            self._write(link, payload, to)
        if waiting:
            self._lose_patience_later()

    # -- what is for it (see host.router.Destination)

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a message. One whose sender is told what is safe here is on disk before it is told."""
        payload = payload_of(stanza)
        step = self._spool.keep(stanza, payload, to) if origin.is_counting else None
        origin.emit(0 if step is None else step.ticket, step, self._send, payload, to, origin)

    def presence(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a presence, in the order of its origin."""
        origin.emit(0, None, self._send, payload_of(stanza), to, origin)

    iq = presence

    def deliver(self, payload: Payload, to: JID) -> None:
        """Takes what a room or an account here has made; for its maker, no answer is one that may be better soon."""
        is_broadcast = payload.kind == "presence" or payload.type == "groupchat"
        self._send(payload, to, None if is_broadcast else self._relayed)

    def _send(self, payload: Payload, to: JID, origin: Origin | None) -> None:
        link = self.link
        if link is not None and not link.paused and not self._waiting:
            self._write(link, payload, to)
        elif self._is_given_up:
            self._refuse(_Waiting(payload, to, origin), StanzaError("remote-server-timeout", _NO_COMPONENT))
        elif self._is_full(payload):
            self._refuse(
                _Waiting(payload, to, origin), StanzaError("resource-constraint", "too much waits for the component")
            )
            if link is not None:
                link.end(StreamError("resource-constraint", "you do not read what you are sent"))
        else:
            self._wait(_Waiting(payload, to, origin))

    def _write(self, link: Link, payload: Payload, to: JID) -> None:
        link.write(payload.addressed(to))
        if payload.spooled:
            self._spool.written(payload, lambda: self.link is link and link.has_backlog)

    def _is_full(self, payload: Payload) -> bool:
        limits = self._limits
        return len(self._waiting) >= limits.stanzas or self._waiting_size + len(payload.rest) > limits.characters

    def _wait(self, entry: _Waiting) -> None:
        self._waiting.append(entry)
        self._waiting_size += len(entry.payload.rest)
        if self._patience is None:
            self._lose_patience_later()

    # -- the end of waiting

    def _lose_patience_later(self) -> None:
        self._forget_patience()
        self._patience = self._clock.callLater(OUTAGE_SECONDS, self._give_up)

    def _forget_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        """It takes nothing any more, with a connection or without one: whoever has waited for it is told."""
        self._patience = None
        self._is_given_up = True
        link, self.link = self.link, None
        if link is not None:
            link.end(StreamError("resource-constraint", "you do not read what you are sent"))
        waiting, self._waiting, self._waiting_size = self._waiting, deque(), 0
        for entry in waiting:
            self._refuse(entry, StanzaError("remote-server-timeout", _NO_COMPONENT))

    def _refuse(self, entry: _Waiting, error: StanzaError) -> None:
        self._spool.forget([entry.payload.spooled])
        if entry.origin is not None:
            stanza = stanza_from(entry.payload.addressed(entry.to))
            if _is_answered(stanza, entry.to):
                entry.origin.refuse(stanza, error)


def _is_answered(stanza: Element, to: JID) -> bool:
    """Whether the sender of what could not be handed over is to be told.

    Not a client that pings its own place in a room: it would take the error for the room's word (XEP-0410 §3.2), and
    none that it knows would be true. Nor who only says that he is gone, or asks for what comes by itself some time.
    """
    if stanza.tag == "iq":
        return not (to.resource and child(stanza, _PING) is not None)
    return stanza.tag == "message" or stanza.get("type", "") in ("", "subscribe")
