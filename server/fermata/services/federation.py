"""Other servers: the way out for all that is not here, and what their connections need from the inside.

See docs/design/0004-federation.md.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from ..core.s2s.dialback import key as dialback_key
from ..core.s2s.missed import Missed
from ..host.federation import Connection, Dialling, Pair, Trouble, Trunk
from ..host.origin import Clock, Origin, Timer
from ..host.router import Router
from ..host.stores import Writer
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from .onward_spool import OnwardSpool
from .server_link import LinkListener, LinkRow, ServerLink, Surroundings
from .server_trunk import ServerTrunk, pair_of

_TICK_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 30.0
_NEEDED_SECONDS: Final = 5.0  #: for so long it is remembered who depends on what
_IDLE_SECONDS: Final = 900.0  #: a connection that nobody uses or depends on is closed


class Terms(NamedTuple):
    """To whom we speak, and how: `policies` are "allow", "block" or "secure", by domain."""

    secret: str
    requires_certificates: bool
    policies: Mapping[str, str]
    most_queued: float


class Federation:
    """All other servers (see host.router.Destination and host.federation.Federation)."""

    def __init__(
        self,
        terms: Terms,
        served: Callable[[str], bool],
        answers: Callable[[str], bool],
        router: Router,
        relayed: Origin,
        spool: OnwardSpool,
        writer: Writer,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        """`served` tells our own domains; `answers` those whose senders are told of what could not be sent."""
        self._terms, self.is_served, self._answers = terms, served, answers
        self._router, self._relayed, self._spool = router, relayed, spool
        self._writer, self._clock, self._random = writer, clock, random
        self.links: dict[Pair, ServerLink] = {}
        self._trunks: set[ServerTrunk] = set()
        self._around: Surroundings | None = None
        self.listeners: list[LinkListener] = []
        #: who says for which pairs somebody depends on there being a way
        self.needs: list[Callable[[], Iterable[Pair]]] = []
        self._needed: set[Pair] = set()
        self._needed_at = 0.0
        self._ticking: Timer | None = None
        self._sweeping: Timer | None = None

    async def open(self, dialling: Dialling) -> None:
        """Connections can be made from now on; what waited when the process ended goes first."""
        self._around = Surroundings(
            dialling,
            self._clock,
            self._relayed,
            self._spool,
            self._terms.most_queued,
            self,
            self._is_needed,
            self._random,
        )
        for payload, to in await self._spool.load():
            self.deliver(payload, to)
        self._tick()
        self._sweep()

    @property
    def has_unacked(self) -> bool:
        """Whether some other server, which acknowledges what it is sent, has not done so with all of it."""
        return any(trunk.is_managed and trunk.unacked for trunk in self._trunks)

    def ask(self) -> None:
        """Asks them all how far they got: they have not long to say so."""
        for trunk in self._trunks:
            if trunk.unacked:
                trunk.ask(self._clock.seconds())

    def close(self) -> None:
        """Acknowledges what is safe here, and closes all connections: the process is about to end."""
        self._around = None
        for timer in (self._ticking, self._sweeping):
            if timer is not None:
                timer.cancel()
        for link in self.links.values():
            link.close()
        for trunk in list(self._trunks):
            trunk.close(None)

    # -- the way out (see host.router.Destination)

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a message. One whose sender is told what is safe here is on disk before it is told."""
        link = self._usable(Pair(sender.domain, to.domain))
        payload = payload_of(stanza)
        step = self._spool.keep(stanza, payload, to) if origin.is_counting else None
        origin.emit(0 if step is None else step.ticket, step, link.send, payload, to)

    def presence(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a presence or an iq, in the order of its origin."""
        origin.emit(0, None, self._usable(Pair(sender.domain, to.domain)).send, payload_of(stanza), to)

    iq = presence

    def deliver(self, payload: Payload, to: JID) -> None:
        """Takes what a room or an account here has made."""
        try:
            link = self._link(pair_of(payload, to))
        except StanzaError:
            return
        link.send(payload, to)

    def _usable(self, pair: Pair) -> ServerLink:
        link = self._link(pair)
        link.check()
        return link

    def _link(self, pair: Pair) -> ServerLink:
        link = self.links.get(pair)
        if link is None:
            if self._around is None:
                raise StanzaError("remote-server-timeout", "this server is just starting or about to stop")
            if self.is_blocked(pair.remote):
                raise StanzaError("policy-violation", f"nobody here may talk to {pair.remote}", "cancel")
            link = self.links[pair] = ServerLink(pair, self._around, self._answers(pair.local))
        return link

    def lost(self, pair: Pair, trouble: Trouble, missed: Missed) -> ServerLink:
        """The way for a pair was lost with the process before this one. Raises StanzaError for a blocked domain."""
        link = self._link(pair)
        link.lose(trouble, missed)
        return link

    def rows(self) -> list[LinkRow]:
        """All pairs there are, for the operator."""
        return [link.row() for _, link in sorted(self.links.items())]

    def end(self, domain: str) -> int:
        """Closes the connections with a domain; how many there were. What waits goes with the next ones."""
        ended = [trunk for trunk in self._trunks if domain in {trunk.domain, *(pair.remote for pair in trunk.pairs)}]
        for trunk in ended:
            trunk.close(None)
        return len(ended)

    # -- for connections (see host.federation.Federation)

    def is_blocked(self, domain: str) -> bool:
        """See Federation."""
        return self._terms.policies.get(domain) == "block"

    def requires_certificate(self, domain: str) -> bool:
        """See Federation."""
        return self._terms.requires_certificates or self._terms.policies.get(domain) == "secure"

    def key(self, local: str, remote: str, stream_id: str) -> str:
        """See Federation."""
        return dialback_key(self._terms.secret, remote, local, stream_id)

    def trunk(self, connection: Connection) -> Trunk:
        """See Federation."""
        trunk = ServerTrunk(
            connection, self._link, self.contacted, self._router, self._writer, self._clock, self._trunks.discard
        )
        self._trunks.add(trunk)
        return trunk

    # -- how the ways are doing (see server_link.LinkListener)

    def contacted(self, pair: Pair) -> None:
        """See LinkListener."""
        link = self.links.get(pair)
        if link is not None:
            link.contacted()
        for listener in self.listeners:
            listener.contacted(pair)

    def stalled(self, pair: Pair) -> None:
        """See LinkListener."""
        for listener in self.listeners:
            listener.stalled(pair)

    def up(self, pair: Pair) -> None:
        """See LinkListener."""
        for listener in self.listeners:
            listener.up(pair)

    def dead(self, pair: Pair) -> None:
        """See LinkListener."""
        for listener in self.listeners:
            listener.dead(pair)

    def refused(self, pair: Pair, stanza: Element, to: JID) -> None:
        """See LinkListener."""
        for listener in self.listeners:
            listener.refused(pair, stanza, to)

    def _is_needed(self, pair: Pair) -> bool:
        now = self._clock.seconds()
        if now >= self._needed_at + _NEEDED_SECONDS:
            self._needed_at, self._needed = now, {pair for needs in self.needs for pair in needs()}
        return pair in self._needed

    def _tick(self) -> None:
        now = self._clock.seconds()
        for trunk in list(self._trunks):
            trunk.tick(now)
        self._ticking = self._clock.callLater(_TICK_SECONDS, self._tick)

    def _sweep(self) -> None:
        """Asks silent connections that are needed for a sign of life, and closes those that are not."""
        now = self._clock.seconds()
        for pair, link in list(self.links.items()):
            trunk = link.trunk
            if trunk is None:
                continue
            if self._is_needed(pair):
                trunk.probe(now)
            elif link.idle(now, _IDLE_SECONDS):
                trunk.close(None)
        self._sweeping = self._clock.callLater(_SWEEP_SECONDS, self._sweep)
