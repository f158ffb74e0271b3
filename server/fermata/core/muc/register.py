"""Registering with a room: membership, and a nickname of one's own (XEP-0045 §7.10, §9.9, XEP-0077)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import DATA_FORM, Field, Form
from ...xmpp.element import E, Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from .changes import Changes
from .disco import check_open, may_register
from .effects import Effects
from .enter import holder
from .invite import MOST
from .nicknames import reservable
from .ranks import NONE, affiliation_at_least
from .state import RoomState

_QUERY: Final = "{%s}query" % ns.REGISTER
_REMOVE: Final = "{%s}remove" % ns.REGISTER
_NICK: Final = "muc#register_roomnick"
_ALLOW: Final = "muc#register_allow"
# §9.9 leaves it to us how the form names the person; in the one that asks for voice it is called so.
_JID: Final = "muc#jid"
_MOST_APPLICANTS: Final = 100


def give_form(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Answers with the nickname under which the sender is registered, or with what he has to fill in."""
    _check_may_register(room, sender)
    nick = room.affiliations.get(sender.bare, NONE).nick
    answer = Element(_QUERY)
    if nick:
        answer.append(Element("{%s}registered" % ns.REGISTER))
        answer.append(E("{%s}username" % ns.REGISTER, None, nick))
    else:
        text = "Choose the nickname that is to be yours in this room."
        answer.append(E("{%s}instructions" % ns.REGISTER, None, text))
        field = Field.text_single(_NICK, label="Nickname", required=True)
        answer.append(Form("form", ns.MUC_REGISTER, (field,), "Registration", text).element())
    effects.answer(iq, sender, answer)


def submit(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Registers the sender, asks the admins whether to, or ends his registration."""
    if child(iq[0], _REMOVE) is not None:
        _unregister(room, effects, sender, iq, now)
        return
    _check_may_register(room, sender)
    element = child(iq[0], DATA_FORM)
    form = Form.parse(element, ns.MUC_REGISTER) if element is not None else None
    if form is None or form.type not in ("submit", "cancel"):
        raise StanzaError("bad-request", "a form is submitted or cancelled")
    if form.type == "cancel":
        effects.answer(iq, sender)
        return
    nick = _free_nick(room, sender.bare, form.text(_NICK))
    if _needs_approval(room, sender):
        _apply(room, effects, sender.bare, nick)
        effects.answer(iq, sender)
    else:
        changes = _registered(room, effects, sender, sender.bare, nick, now)
        effects.answer(iq, sender)
        changes.announce()


def _check_may_register(room: RoomState, sender: JID) -> None:
    check_open(room, sender)
    if room.affiliation_of(sender.bare) == "outcast":
        raise StanzaError("forbidden", "you are banned from this room")
    if not may_register(room, sender.bare):
        raise StanzaError("not-allowed", "nobody can register with this room by himself")


def _free_nick(room: RoomState, bare: JID, nick: str) -> str:
    """The nickname as it would be reserved: nobody else may have it, nor go by it now (`conflict`)."""
    prepared = reservable(room, bare, nick)
    holder(room, bare, prepared)
    return prepared


def _needs_approval(room: RoomState, sender: JID) -> bool:
    """Membership at once must give nobody what he could not take by himself: to enter, and to speak."""
    if affiliation_at_least(room.affiliation_of(sender.bare), "member"):
        return False
    if room.config.membersonly:
        return True
    occupant = room.occupants.at(sender)
    if occupant is not None:
        return occupant.role == "visitor"
    return room.config.moderatedroom or room.config.passwordprotectedroom


def _registered(room: RoomState, effects: Effects, actor: JID, bare: JID, nick: str, now: float) -> Changes:
    """Makes a person a member, if he is nothing yet, with a reserved nickname; what remains is to announce it."""
    old = room.affiliations.get(bare, NONE)
    room.check_room_for({bare})
    affiliation = old.affiliation if affiliation_at_least(old.affiliation, "member") else "member"
    changes = Changes(room, effects, actor, now)
    changes.set_affiliation(bare, old._replace(affiliation=affiliation, nick=nick))
    return changes


def _unregister(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """XEP-0077 §3.2: a member becomes a stranger; admins and owners stay what they are, without the nickname."""
    check_open(room, sender)
    if len(iq[0]) != 1:
        raise StanzaError("bad-request", "who ends a registration asks for nothing else")
    found = room.affiliations.get(sender.bare, NONE)
    if found.affiliation == "outcast":
        raise StanzaError("forbidden", "you are banned from this room")
    if found.affiliation == "none":
        raise StanzaError("registration-required", "you are not registered")
    changes = Changes(room, effects, sender, now)
    changes.set_affiliation(sender.bare, NONE if found.affiliation == "member" else found._replace(nick=""))
    effects.answer(iq, sender)
    changes.announce()


def _apply(room: RoomState, effects: Effects, bare: JID, nick: str) -> None:
    """Asks the admins and owners, wherever they are (§9.9); once for each applicant, however often he applies."""
    if bare in room.applicants:
        return
    if len(room.applicants) >= _MOST_APPLICANTS:
        raise StanzaError("resource-constraint", "too many requests wait for an answer")
    room.applicants.add(bare)
    admins = [each for each, found in room.affiliations.items() if affiliation_at_least(found.affiliation, "admin")]
    request = E("message", {"from": room.jid, "id": room.new_id()}, _request(bare, nick).element())
    effects.send(payload_of(request), tuple(map(JID.parse, admins[:MOST])))


def _request(bare: JID, nick: str) -> Form:
    return Form(
        "form",
        ns.MUC_REGISTER,
        (
            Field.jid_single(_JID, bare, "User ID"),
            Field.text_single(_NICK, nick, "Desired nickname"),
            Field.boolean(_ALLOW, False, "Allow this person to register with the room?"),
        ),
        "Registration request",
        "To approve this registration, tick the box and submit the form.",
    )


def decide(room: RoomState, sender: JID, form: Form, now: float) -> Effects:
    """Does what an admin says to a request for registration (§9.9), whether or not he is in the room."""
    effects = Effects()
    if not affiliation_at_least(room.affiliation_of(sender.bare), "admin"):
        raise StanzaError("forbidden", "registrations are for admins to approve")
    jids = form.jids(_JID)
    if form.type == "cancel" or not jids:
        return effects
    bare = jids[0].bare
    if not form.boolean(_ALLOW, False):
        room.applicants.discard(bare)
        return effects
    if room.affiliation_of(bare) != "none" or not bare.local:
        raise StanzaError("not-acceptable", "that person is no applicant any more")
    changes = _registered(room, effects, sender, bare, _free_nick(room, bare, form.text(_NICK)), now)
    changes.announce()
    return effects
