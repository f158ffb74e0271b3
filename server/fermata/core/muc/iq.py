"""Requests to the room itself and between occupants (XEP-0045 §17.4, XEP-0410)."""

from collections.abc import Callable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from ...xmpp.stanza import check_iq, result_of
from . import owner
from .effects import Effects
from .state import RoomState

# What the room answers itself: a function of room, sender, the request's payload, effects and time makes the answer's.
Answerer = Callable[[RoomState, JID, Element, Effects, float], Element | None]


def _ping(room: RoomState, sender: JID, query: Element, effects: Effects, now: float) -> None:
    """XEP-0199: that there is an answer is the answer."""


_ANSWERS: Final[dict[tuple[str, str], Answerer]] = {
    ("get", "{%s}ping" % ns.PING): _ping,
    ("set", "{%s}query" % ns.MUC_OWNER): owner.submit,
}


def iq(room: RoomState, sender: JID, stanza: Element, now: float) -> Effects:
    """A request or an answer, to the room or to an occupant JID."""
    check_iq(stanza)
    kind = stanza.get("type", "")
    effects = Effects()
    if kind not in ("get", "set"):
        return effects
    query = stanza[0]
    answerer = _ANSWERS.get((kind, query.tag))
    if answerer is None:
        raise StanzaError("service-unavailable", by=room.jid)
    answer = answerer(room, sender, query, effects, now)
    effects.send(payload_of(result_of(stanza, answer)), (sender,))
    return effects
