"""The origin of stanzas that rooms and accounts here make for others: what is refused goes back to their maker."""

from collections.abc import Callable
from typing import Any

from ..core.records import Step
from ..core.release import ReleaseQueue
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..host.stores import Writer
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.stanza import answerable, error_of


class Relayed:
    """One order for everything that is made here and is for no session (see host.origin.Origin)."""

    def __init__(self, jid: JID, router: Router, writer: Writer) -> None:
        self.jid = jid
        self.is_counting = False
        self._router = router
        self._queue = ReleaseQueue(writer, self._refuse_step)

    def emit(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """See Origin."""
        self._queue.put(ticket, step, effect, *arguments)

    def answer(self, stanza: Element) -> None:
        """Hands an answer to whoever made what it answers."""
        to, sender = JID.parse(stanza.get("to", self.jid)), JID.parse(stanza.get("from", self.jid))
        guarded_route(self._router, stanza, to, sender, self)

    def refuse(self, stanza: Element, error: StanzaError) -> None:
        """See Origin."""
        if answerable(stanza):
            self._queue.put(0, None, self.answer, error_of(stanza, error))

    def hold(self) -> Callable[[], None]:
        """See Origin: nobody counts here."""
        return _nothing

    def _refuse_step(self, step: Step) -> None:
        stanza, step.stanza = step.stanza, None
        if stanza is not None:
            self.refuse(stanza, StanzaError("internal-server-error", "it could not be stored", "wait"))


def _nothing() -> None:
    """Nothing was held."""
