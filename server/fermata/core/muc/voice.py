"""Requests for voice, and their approval (XEP-0045 §7.13, §8.6)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.element import E
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from .changes import Changes
from .effects import Effects
from .occupants import Occupant
from .state import RoomState

_ALLOW: Final = "muc#request_allow"


def answer_form(room: RoomState, sender: JID, form: Form, now: float) -> Effects:
    """Takes a request for voice from a visitor to the moderators, or does what a moderator says to one."""
    effects = Effects()
    occupant = room.occupants.at(sender)
    if occupant is None:
        raise StanzaError("not-acceptable", "you are not in this room", type="cancel")
    if form.type == "cancel":
        return effects
    if _ALLOW in form:
        _approve(room, effects, occupant, sender, form, now)
    elif form.text("muc#role", "participant") != "participant":
        raise StanzaError("not-acceptable", "voice is all that can be asked for")
    elif occupant.role == "visitor":
        request = E("message", {"from": room.jid, "id": room.new_id()}, _request(occupant).element())
        effects.send(payload_of(request), room.occupants.moderators)
    return effects


def _request(occupant: Occupant) -> Form:
    return Form(
        "form",
        ns.MUC_REQUEST,
        (
            Field.list_single("muc#role", "participant", {"participant": "Participant"}, "Requested role"),
            Field.jid_single("muc#jid", occupant.shown.jid, "User ID"),
            Field.text_single("muc#roomnick", occupant.nick, "Room nickname"),
            Field.boolean(_ALLOW, False, "Grant voice to this person?"),
        ),
        "Voice request",
        "To grant voice to this person, tick the box and submit the form.",
    )


def _approve(room: RoomState, effects: Effects, moderator: Occupant, sender: JID, form: Form, now: float) -> None:
    if moderator.role != "moderator":
        raise StanzaError("forbidden", "voice is for moderators to grant")
    if not form.boolean(_ALLOW):
        return
    visitor = room.occupants.named(form.text("muc#roomnick"))
    jids = form.jids("muc#jid")
    # The nickname may be somebody else's by now.
    if visitor is None or (jids and visitor.bare != jids[0].bare):
        raise StanzaError("item-not-found", "who asked for voice has left")
    if visitor.role == "visitor":
        changes = Changes(room, effects, sender, now)
        changes.set_role(visitor, "participant")
        changes.announce()
