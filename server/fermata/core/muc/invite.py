"""Mediated invitations, and their refusal (XEP-0045 §7.8.2)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID, JIDError
from ...xmpp.payload import Payload, payload_of
from .effects import Effects
from .ranks import Affiliation, affiliation_at_least
from .state import RoomState

_X: Final = "{%s}x" % ns.MUC_USER
_INVITE: Final = "{%s}invite" % ns.MUC_USER
_DECLINE: Final = "{%s}decline" % ns.MUC_USER
_PASSWORD: Final = "{%s}password" % ns.MUC_USER
_SAID: Final = frozenset({"{%s}reason" % ns.MUC_USER, "{%s}continue" % ns.MUC_USER})
# One stanza must not make a room write to half the world.
MOST: Final = 20


def is_mediated(message: Element) -> bool:
    """Whether a message to the room invites somebody, or declines an invitation."""
    x = child(message, _X)
    return x is not None and (child(x, _INVITE) is not None or child(x, _DECLINE) is not None)


def mediate(room: RoomState, sender: JID, message: Element) -> Effects:
    """Passes invitations on, as from the room; or a refusal, to who invited."""
    effects = Effects()
    x = child(message, _X)
    found = list(x) if x is not None else []
    invites = [(item, _invitee(room, item)) for item in found if item.tag == _INVITE]
    if invites:
        _check_inviter(room, sender)
        members = {invitee.bare for _, invitee in invites if _becomes_member(room, invitee)}
        room.check_room_for(members)
        if len(invites) > MOST:
            raise StanzaError("policy-violation", f"no more than {MOST} invitations at once")
        for item, invitee in invites:
            _invite(room, effects, sender, item, invitee, message.get("id") or room.new_id())
        return effects
    for item in found:
        if item.tag == _DECLINE:
            _decline(room, effects, sender, item, message.get("id") or room.new_id())
    return effects


def _invitee(room: RoomState, item: Element) -> JID:
    try:
        invitee = JID.parse(item.get("to", ""))
    except JIDError:
        raise StanzaError("jid-malformed", "nobody can be invited at that address") from None
    if invitee.domain == room.jid.domain or room.affiliation_of(invitee.bare) == "outcast":
        raise StanzaError("not-acceptable", "nobody can be invited at that address")
    return invitee


def _check_inviter(room: RoomState, sender: JID) -> None:
    occupant = room.occupants.at(sender)
    if occupant is None:
        raise StanzaError("not-acceptable", "you are not in this room", type="cancel")
    if not (room.config.allowinvites or affiliation_at_least(occupant.affiliation, "admin")):
        raise StanzaError("forbidden", "invitations are not for you to send here")


def _invite(room: RoomState, effects: Effects, sender: JID, item: Element, invitee: JID, id: str) -> None:
    if _becomes_member(room, invitee):
        room.affiliate(invitee.bare, Affiliation("member"))
        room.save_affiliation(effects, invitee.bare)
    effects.send(invitation(room, sender.bare, id, *[said for said in item if said.tag in _SAID]), (invitee,))


def _becomes_member(room: RoomState, invitee: JID) -> bool:
    """§9.5: whom a member may invite is thereby a member; in an open room never, and never a whole domain."""
    return room.config.membersonly and bool(invitee.local) and room.affiliation_of(invitee.bare) == "none"


def invitation(room: RoomState, inviter: JID, id: str, *said: Element) -> Payload:
    """The invitation as the room sends it, with what the inviter said, and the password if one is needed."""
    x = E(_X, None, E(_INVITE, {"from": inviter}, *said))
    if room.config.passwordprotectedroom:
        x.append(E(_PASSWORD, None, room.config.roomsecret))
    return payload_of(E("message", {"from": room.jid, "id": id}, x))


def _decline(room: RoomState, effects: Effects, sender: JID, item: Element, id: str) -> None:
    """Tells somebody who is in the room that his invitation was declined; anybody else would be none of its affair."""
    try:
        inviter = JID.parse(item.get("to", ""))
    except JIDError:
        raise StanzaError("jid-malformed", "nobody has invited from that address") from None
    decline = E(_DECLINE, {"from": sender.bare}, *[said for said in item if said.tag in _SAID])
    payload = payload_of(E("message", {"from": room.jid, "id": id}, E(_X, None, decline)))
    for occupant in room.occupants.of(inviter.bare):
        effects.send(payload, tuple(occupant.sessions))
