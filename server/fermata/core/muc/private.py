"""Private messages between occupants (XEP-0045 §7.5)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from ...xmpp.stanza import message_type
from .effects import Effects
from .ranks import role_at_least
from .relayed import relayed
from .state import RoomState

_LEAST_ROLE: Final = {"anyone": "visitor", "participants": "participant", "moderators": "moderator"}


def private_message(room: RoomState, sender: JID, message: Element, nick: str) -> Effects:
    """A message to one occupant: all its sessions get it."""
    occupant, type = room.occupants.at(sender), message_type(message)
    if occupant is None:
        raise StanzaError("not-acceptable", "you are not in this room", type="cancel")
    if type == "groupchat":
        raise StanzaError("bad-request", "a message to all goes to the room itself")
    recipient = room.occupants.named(nick)
    if recipient is None:
        raise StanzaError("item-not-found", "nobody here has that nickname")
    least = _LEAST_ROLE.get(room.config.allowpm)
    if least is None or not role_at_least(occupant.role, least):
        raise StanzaError("forbidden", "private messages are not for you to send here")
    effects = Effects()
    shared = relayed(message, room.jid, occupant.jid, "" if type == "normal" else type)
    payload = payload_of(shared).with_child(f"<x xmlns='{ns.MUC_USER}'/>").with_child(occupant.id_xml)
    effects.send(payload, tuple(recipient.sessions))
    return effects
