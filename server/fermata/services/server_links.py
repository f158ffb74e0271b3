"""All ways to other servers, by pair, and the connections that they use."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from ..core.s2s.answered import Answered
from ..core.s2s.heard import Heard
from ..core.s2s.missed import Missed
from ..core.s2s.queue import Allowance
from ..core.s2s.site import site_of
from ..core.s2s.state import Phase
from ..host.federation import Connection, Dialling, Pair, Trouble
from ..host.origin import Clock, Origin, Timer
from ..host.router import Router
from ..host.stores import Writer
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .from_server import FromServer
from .lasting_streams import LastingStreams
from .link_listener import LinkListener
from .link_surroundings import Surroundings
from .onward_spool import OnwardSpool
from .server_link import LinkRow, ServerLink
from .server_trunk import ServerTrunk, pair_of

_TICK_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 30.0
_NEEDED_SECONDS: Final = 5.0  #: for so long it is remembered who depends on what
MOST_OF_SITE: Final = 500  #: pairs of one domain here with domains of one site
_IDLE_SECONDS: Final = 900.0  #: a connection that nobody uses or depends on is closed


class ServerLinks(LinkListener):
    """Makes the ways when they are needed, and tells `listeners` how they are doing (see LinkListener)."""

    def __init__(
        self,
        blocked: Callable[[str], bool],
        answers: Callable[[str], bool],
        most_queued: float,
        router: Router,
        relayed: Origin,
        spool: OnwardSpool,
        streams: LastingStreams,
        writer: Writer,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        """`blocked` tells domains that nobody is to talk to; `answers` ours whose senders are told of failures."""
        self._blocked, self._answers, self._most_queued = blocked, answers, most_queued
        self._router, self._relayed, self._spool, self._streams = router, relayed, spool, streams
        self._writer, self._clock, self._random = writer, clock, random
        self.by_pair: dict[Pair, ServerLink] = {}
        # By the site elsewhere: whoever has one domain has any number below it.
        self._ways: dict[str, set[Pair]] = {}
        self._allowances: dict[tuple[str, str], Allowance] = {}  # by the domain here as well
        self.trunks: set[ServerTrunk] = set()
        self._broken: set[Pair] = set()
        self._answered, self.heard = Answered(), Heard(clock.seconds())
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
            self,
            self._is_needed,
            self._random,
            self._broken,
            self._answered,
            self._streams,
        )
        spooled = await self._spool.load()
        assert self._spool.owner is not None
        await self._streams.load(self._spool.owner)
        for payload, to in spooled:
            if self._blocked(to.domain):  # by now
                self._spool.forget([payload.spooled])
                continue
            with suppress(StanzaError):  # too many domains of one site: what is for the rest stays in the spool
                self.of(pair_of(payload, to)).send(payload, to)
        self._tick()
        self._sweep()

    @property
    def has_unacked(self) -> bool:
        """Whether some other server, which acknowledges what it is sent, has not done so with all of it."""
        return any(trunk.management.outbound is not None and trunk.unacked for trunk in self.trunks)

    def ask(self) -> None:
        """Asks them all how far they got: they have not long to say so."""
        for trunk in self.trunks:
            if trunk.unacked:
                trunk.ask(self._clock.seconds())

    def close(self) -> None:
        """Acknowledges what is safe here, and closes all connections: the process is about to end."""
        self._around = None
        for timer in (self._ticking, self._sweeping):
            if timer is not None:
                timer.cancel()
        for link in self.by_pair.values():
            link.close()
        for trunk in list(self.trunks):
            trunk.close()

    def of(self, pair: Pair) -> ServerLink:
        """The way for a pair, made if there is none. Raises StanzaError if there can be none."""
        link = self.by_pair.get(pair)
        if link is None:
            if self._around is None:
                raise StanzaError("remote-server-timeout", "this server is just starting or about to stop")
            if self._blocked(pair.remote):
                raise StanzaError("policy-violation", f"nobody here may talk to {pair.remote}", "cancel")
            allowance = self._admit(pair)
            link = self.by_pair[pair] = ServerLink(pair, self._around, allowance, self._answers(pair.local))
        return link

    def _admit(self, pair: Pair) -> Allowance:
        """What may wait for a new pair, shared with others of its site. Raises StanzaError if these are too many."""
        site = site_of(pair.remote)
        ways = self._ways.setdefault(site, set())
        if sum(way.local == pair.local for way in ways) >= MOST_OF_SITE:
            raise StanzaError("resource-constraint", f"too many domains of {site} are being spoken to")
        ways.add(pair)
        return self._allowances.setdefault((pair.local, site), Allowance(self._most_queued))

    def _forget(self, pair: Pair) -> None:
        self._broken.discard(pair)
        del self.by_pair[pair]
        site = site_of(pair.remote)
        ways = self._ways[site]
        ways.discard(pair)
        if all(way.local != pair.local for way in ways):
            del self._allowances[pair.local, site]
        if not ways:
            del self._ways[site]

    def lost(self, pair: Pair, trouble: Trouble, missed: Missed) -> ServerLink:
        """The way for a pair was lost with the process before this one. Raises StanzaError for a blocked domain."""
        link = self.of(pair)
        link.lose(trouble, missed)
        return link

    def trunk(self, connection: Connection) -> ServerTrunk:
        """A connection has proven its first pair."""
        peer = FromServer(
            self._router, self._writer, self._clock, self._broken, self.contacted, self._answered, self.heard
        )
        trunk = ServerTrunk(
            connection,
            self.of,
            self.contacted,
            self._spool.forget,
            peer,
            self._answered,
            self._writer,
            self._clock,
            self._streams,
            self.trunks.discard,
        )
        self.trunks.add(trunk)
        return trunk

    def rows(self) -> list[LinkRow]:
        """All pairs there are, for the operator."""
        return [link.row() for _, link in sorted(self.by_pair.items())]

    def end(self, domain: str) -> int:
        """Closes the connections with a domain; how many there were. What waits goes with the next ones."""
        ended = [
            trunk for trunk in self.trunks if domain in {trunk.peer.domain, *(pair.remote for pair in trunk.pairs)}
        ]
        for trunk in ended:
            trunk.rest()
        return len(ended)

    # -- how the ways are doing (see LinkListener)

    def contacted(self, pair: Pair) -> None:
        """See LinkListener."""
        link = self.by_pair.get(pair)
        if link is not None:
            link.contacted()
        self._look_around(pair)
        self.heard.connected(pair.remote, self._clock.seconds())
        for listener in self.listeners:
            listener.contacted(pair)

    def stalled(self, pair: Pair) -> None:
        """See LinkListener."""
        for listener in self.listeners:
            listener.stalled(pair)

    def _look_around(self, pair: Pair) -> None:
        """Where a domain is, it is for all of ours, and those below and above it may be as well: rooms on a server."""
        for other in list(self._ways.get(site_of(pair.remote), ())):
            is_there = _is_within(other.remote, pair.remote) or _is_within(pair.remote, other.remote)
            if is_there and other != pair and self.by_pair[other].state.phase is Phase.RETRYING:
                self.by_pair[other].contacted()

    def up(self, pair: Pair) -> None:
        """See LinkListener."""
        self._look_around(pair)
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
        for trunk in list(self.trunks):
            trunk.tick(now)
        self._ticking = self._clock.callLater(_TICK_SECONDS, self._tick)

    def _sweep(self) -> None:
        """Asks silent connections that are needed for a sign of life, and closes those that are not."""
        now = self._clock.seconds()
        for pair, link in list(self.by_pair.items()):
            trunk = link.trunk
            if trunk is None:
                if link.is_forgotten(now):
                    self._forget(pair)
            elif self._is_needed(pair):
                trunk.probe(now)
            elif now >= trunk.used_at + _IDLE_SECONDS and not any(map(self._is_needed, trunk.pairs)):
                trunk.rest()
        self._close_spare(now)
        self._sweeping = self._clock.callLater(_SWEEP_SECONDS, self._sweep)

    def _close_spare(self, now: float) -> None:
        """Closes connections of ours that are no way for anything here, once the other side does not use them."""
        used = {link.trunk for link in self.by_pair.values()}
        for trunk in self.trunks - used:
            if trunk.pairs and trunk.connection.direction == "out" and now >= trunk.used_at + _IDLE_SECONDS:
                trunk.rest()


def _is_within(domain: str, other: str) -> bool:
    return domain == other or domain.endswith(f".{other}")
