"""Where a stanza comes from that a stand-in sends because a client has sent one."""

from collections.abc import Callable
from typing import Any

from ..core.records import Step
from ..host.origin import Origin
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID


class Behalf:
    """Its order and what must be kept of it are the client's; what is refused is told to the stand-in (see Origin).

    What a client has said some time ago has `relayed` for its `client`, and says with `jid` whose it was.
    """

    def __init__(self, client: Origin, relayed: Origin, jid: JID | None = None) -> None:
        self._client, self._relayed = client, relayed
        self.jid = jid or client.jid

    @property
    def is_counting(self) -> bool:
        """See Origin."""
        return self._client.is_counting

    def emit(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """See Origin."""
        self._client.emit(ticket, step, effect, *arguments)

    def hold(self) -> Callable[[], None]:
        """See Origin."""
        return self._client.hold()

    def answer(self, stanza: Element) -> None:
        """See Origin."""
        self._relayed.answer(stanza)

    def refuse(self, stanza: Element, error: StanzaError) -> None:
        """See Origin."""
        self._relayed.refuse(stanza, error)
