"""What another server sends over one connection: routed, counted, and answered the way of all stanzas.

The order of what a peer causes is that of its connection.
"""

from collections.abc import Callable, Set
from functools import partial
from typing import Any

from ..core.records import Step
from ..core.release import ReleaseQueue
from ..core.s2s.answered import Answered
from ..core.s2s.heard import Heard
from ..core.stream_management import Inbound
from ..host.federation import Pair
from ..host.origin import Clock
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..host.stores import Writer
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import payload_of
from ..xmpp.stanza import answerable, check_iq, error_of


class FromServer:
    """What happens to a stanza that a proven peer sends (see host.origin.Origin).

    `inbound` counts them where the peer is told how far we got.
    """

    def __init__(
        self,
        router: Router,
        writer: Writer,
        clock: Clock,
        broken: Set[Pair],
        contacted: Callable[[Pair], None],
        answered: Answered,
        heard: Heard,
    ) -> None:
        """`broken` are the pairs to which there is no way just now; `contacted` hears of a sign of life from there."""
        self._router, self._clock = router, clock
        self._broken, self._contacted = broken, contacted
        self._answered, self._heard = answered, heard
        self.inbound: Inbound | None = None
        #: a stanza was dealt with: with which batch of writes that will be known
        self.counted: Callable[[], int] = lambda: writer.ticket
        self.jid: JID  #: the peer's, by the first pair that was proven
        self.domain = ""  #: likewise; empty before that
        self.received = 0  #: how many stanzas it has sent
        self.heard_at = clock.seconds()
        self._queue = ReleaseQueue(writer, self._refuse_step)
        self._position, self._held, self._is_pending = 0, False, False
        self._holds: dict[int, int] = {}  # by position: how often a stanza is held

    def meet(self, domain: str) -> None:
        """The peer has proven a domain."""
        if not self.domain:
            self.domain, self.jid = domain, JID.parse(domain)

    def take(self, stanza: Element, to: JID, sender: JID) -> None:
        """See host.federation.Trunk."""
        self.received += 1
        inbound = self.inbound
        if inbound is None:
            self._route(stanza, to, sender)
            return
        position = self._position = inbound.begin()
        self._held = self._is_pending = False
        self._route(stanza, to, sender)
        if not self._held:
            self._complete(inbound, position)

    def take_refused(self, stanza: Element, to: JID, sender: JID, error: StanzaError) -> None:
        """See host.federation.Trunk."""
        self.received += 1
        self.refuse(stanza, error)
        inbound = self.inbound
        if inbound is not None:
            inbound.complete(inbound.begin(), self.counted())

    def _route(self, stanza: Element, to: JID, sender: JID) -> None:
        self.heard_at = self._clock.seconds()
        if self._broken and (pair := Pair(to.domain, sender.domain)) in self._broken:
            self._contacted(pair)
        if stanza.tag == "iq":
            try:
                check_iq(stanza)
            except StanzaError as error:
                self.refuse(stanza, error)
                return
            if stanza.get("type") in ("result", "error"):
                self._answered.note(to, sender, stanza.get("id", ""))
        elif stanza.tag == "message" and self._heard.take(stanza, to, sender, self.heard_at):
            return  # what became of it has been done
        guarded_route(self._router, stanza, to, sender, self)

    # -- see host.origin.Origin

    @property
    def is_counting(self) -> bool:
        """See Origin."""
        return self.inbound is not None

    def emit(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """See Origin."""
        self._queue.put(ticket, step, effect, *arguments)
        if step is None and self._queue:
            self._is_pending = True  # it waits, and nothing on the disk tells of it

    def answer(self, stanza: Element) -> None:
        """See Origin: to the peer, by whatever connection leads there."""
        self._router.deliver(payload_of(stanza), JID.parse(stanza.get("to", "")))

    def refuse(self, stanza: Element, error: StanzaError) -> None:
        """See Origin."""
        self._heard.forget(stanza)
        if answerable(stanza):
            self._queue.put(0, None, self.answer, error_of(stanza, error))

    def hold(self) -> Callable[[], None]:
        """See Origin.

        Unlike a client's, the stanzas behind this one do not wait: they are other people's.
        """
        inbound = self.inbound
        if inbound is None:
            return _nothing
        self._held = True
        position = self._position
        self._holds[position] = self._holds.get(position, 0) + 1
        return partial(self._settle, inbound, position)

    def _settle(self, inbound: Inbound, position: int) -> None:
        self._holds[position] -= 1
        if not self._holds[position]:
            del self._holds[position]
            self._complete(inbound, position)

    def _complete(self, inbound: Inbound, position: int) -> None:
        """A stanza was dealt with: it counts once nothing of it would be lost with this process."""
        if self._is_pending:
            self._queue.put(0, None, lambda: inbound.complete(position, self.counted()))
        else:
            inbound.complete(position, self.counted())

    def _refuse_step(self, step: Step) -> None:
        stanza, step.stanza = step.stanza, None
        if stanza is None:
            return
        self._heard.forget(stanza)
        if answerable(stanza):
            self.answer(error_of(stanza, StanzaError("internal-server-error", "it could not be stored", "wait")))


def _nothing() -> None:
    """Nothing was held."""
