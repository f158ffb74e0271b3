"""What owners do: configure and destroy the room (XEP-0045 §10)."""

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from .effects import Effects
from .state import RoomState


def submit(room: RoomState, sender: JID, query: Element, effects: Effects, now: float) -> None:
    """A configuration, or what stands for one: an empty form accepts what is (§10.1.2)."""
    if room.affiliation_of(sender.bare) != "owner":
        raise StanzaError("forbidden", "only owners may do that", by=room.jid)
    if child(query, "{%s}x" % ns.DATA_FORMS) is None:
        raise StanzaError("bad-request", "a form is needed", by=room.jid)
    room.locked_until = 0.0
    room.save(effects)
