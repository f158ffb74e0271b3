"""What becomes of stanzas that may not have reached another server, or never will."""

from typing import Final

from ..core.s2s.answered import Answered
from ..core.s2s.queue import Waiting
from ..core.stored_xml import stanza_from
from ..host.federation import Pair
from ..host.origin import Origin
from ..xmpp import namespaces as ns
from ..xmpp.delay import delayed, is_delayed
from ..xmpp.element import Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .link_listener import LinkListener
from .onward_spool import OnwardSpool

_PING: Final = "{%s}ping" % ns.PING


class Undelivered:
    """Those of one pair; `relayed` is where errors are given to people here, if its senders are `told`."""

    def __init__(
        self,
        pair: Pair,
        relayed: Origin,
        spool: OnwardSpool,
        listener: LinkListener,
        answered: Answered,
        told: bool,
    ) -> None:
        self._pair, self._relayed, self._spool, self._listener = pair, relayed, spool, listener
        self._answered, self._told = answered, told
        self.count = 0  #: of those that could not be handed over

    def again(self, payload: Payload, to: JID, now: float) -> Waiting | None:
        """What may not have arrived, as it is sent again; a request is failed instead, since it may have been met."""
        entry = Waiting(payload, to, now, self._told)
        if payload.kind == "iq" and payload.type in ("get", "set"):
            request = stanza_from(payload.addressed(to))
            if self._answered.includes(JID.parse(payload.sender), to, request.get("id", "")):
                return None
            self.refuse(entry, StanzaError("remote-server-timeout", f"the connection to {self._pair.remote} broke"))
            return None
        if payload.kind == "message" and not is_delayed(payload):
            entry.payload = delayed(payload, self._pair.local, now)
        return entry

    def refuse(self, entry: Waiting, error: StanzaError) -> None:
        """That will never arrive."""
        self.count += 1
        payload = entry.payload
        self._spool.forget([payload.spooled])
        stanza = stanza_from(payload.addressed(entry.to))
        if not entry.is_answered:
            self._listener.refused(self._pair, stanza, entry.to)
        elif _is_told(stanza, entry.to):
            self._relayed.refuse(stanza, error)


def _is_told(stanza: Element, to: JID) -> bool:
    """Whether a sender here is to know that his stanza was not handed over.

    Not a client that pings its own place in a room: it would take the error for the room's word (XEP-0410 §3.2). Nor
    who only says that he is there, or gone: unless he wants to enter a room.
    """
    if stanza.tag == "presence":
        return stanza.get("type") == "subscribe" or child(stanza, "{%s}x" % ns.MUC) is not None
    return stanza.tag == "message" or not (to.resource and child(stanza, _PING) is not None)
