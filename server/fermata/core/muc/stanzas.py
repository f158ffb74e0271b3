"""What arrives at a room: which of the rules each stanza is for."""

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import DATA_FORM, Form
from ...xmpp.element import Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.stanza import message_type
from ..archive_query import Found
from . import enter, exit, invite, iq, messages, moderation, private, register, rejoin, rename, retraction, voice
from .effects import Effects, Reading
from .occupants import Occupant
from .relayed import addressed
from .state import RoomState
from .wishes import Wish, fulfilled, version_in, wish_of


def take_presence(room: RoomState, sender: JID, stanza: Element, now: float, found: Found | None = None) -> Effects:
    """A presence to the room or to any occupant JID of it; `found` is what was read in the archive for it."""
    type, occupant = stanza.get("type", ""), room.occupants.at(sender)
    if type == "error":
        return exit.undeliverable(room, sender, stanza, False, now)
    if type == "unavailable" and occupant is not None:
        # Whichever nickname it is addressed to: its sender may not know yet that it has another one.
        return exit.leave(room, occupant, sender, stanza, now)
    if type:
        # §17.3: nothing else enters or leaves; who is not in has nothing to leave.
        return Effects()
    muc = child(stanza, enter.MUC)
    if muc is None and room.cheap_rejoin:
        again = rejoin.asked(stanza)
        if again is not None:
            return rejoin.rejoin(room, sender, stanza, again, now, found)
        if occupant is None and version_in(stanza) is not None:
            muc = Element(enter.MUC)  # XEP-0436 has no other way to enter in its examples
    if occupant is None:
        if muc is None:
            return enter.send_away(sender, stanza)
        return enter.enter(room, sender, stanza, muc, now, found=found)
    return _from_occupant(room, occupant, sender, stanza, muc, now, found)


def _from_occupant(
    room: RoomState,
    occupant: Occupant,
    sender: JID,
    stanza: Element,
    muc: Element | None,
    now: float,
    found: Found | None,
) -> Effects:
    """Somebody who is in has another nickname or presence, or wants to be told everything again."""
    effects = Effects()
    wish = fulfilled(room, sender, wish_of(room, stanza, muc, now), found) if muc is not None else Wish()
    if isinstance(wish, Reading):
        effects.reading = wish
        return effects
    if addressed(stanza).resource not in ("", occupant.nick):
        occupant = rename.rename(room, effects, occupant, sender, stanza, now)
    elif muc is None:
        enter.change_availability(room, effects, occupant, sender, stanza)
    if muc is not None:
        enter.resync(room, effects, occupant, sender, stanza, muc, wish)
    return effects


def take_message(room: RoomState, sender: JID, stanza: Element, now: float) -> Effects:
    """A message to the room or to an occupant JID."""
    type = message_type(stanza)
    if type == "error":
        return exit.undeliverable(room, sender, stanza, False, now)
    nick = "" if stanza.get("to") == room.jid else addressed(stanza).resource
    if nick:
        return private.private_message(room, sender, stanza, nick)
    if type == "groupchat":
        return messages.groupchat(room, sender, stanza, now)
    if invite.is_mediated(stanza):
        return invite.mediate(room, sender, stanza)
    submitted = child(stanza, DATA_FORM)
    if submitted is not None:
        return _take_form(room, sender, Form.parse(submitted), now)
    raise StanzaError("bad-request", "a message to all is of type groupchat")


def take_recalled(room: RoomState, sender: JID, stanza: Element, now: float, archived: str) -> Effects:
    """A stanza again that is about this message of the archive."""
    effects = Effects()
    if stanza.tag == "iq":
        moderation.conclude(room, effects, sender, stanza, archived, now)
    elif archived:
        retraction.take_back(room, effects, sender, stanza, archived, now)
    return effects


def _take_form(room: RoomState, sender: JID, form: Form, now: float) -> Effects:
    if form.form_type == ns.MUC_REGISTER:
        return register.decide(room, sender, form, now)
    if form.form_type in (ns.MUC_REQUEST, ""):
        return voice.answer_form(room, sender, form, now)
    raise StanzaError("bad-request", "nobody has asked for that form")


def take_iq(room: RoomState, sender: JID, stanza: Element, now: float) -> Effects:
    """A request to the room or to an occupant JID, or the answer to one."""
    nick = addressed(stanza).resource
    if nick:
        return iq.to_occupant(room, sender, stanza, nick, now)
    return iq.to_room(room, sender, stanza, now)
