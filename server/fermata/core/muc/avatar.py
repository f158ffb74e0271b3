"""The room's avatar, which is in its vCard: asking for it and changing it (XEP-0486, XEP-0054)."""

from typing import Final

from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ..records import ValueRemoved, ValueSaved
from .disco import check_open
from .effects import Effects
from .notices import configuration_changed
from .state import RoomState
from .vcard import SPACE, VCard

_BYTES_MAX: Final = 65_536


def give_vcard(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Answers with the vCard, whoever asks: a room is looked at before it is entered (XEP-0486 §4.4)."""
    check_open(room, sender)
    effects.answer(iq, sender, room.vcard.element())


def change_vcard(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Takes a vCard from an owner; an empty one is none (XEP-0486 §4.2)."""
    if room.affiliation_of(sender.bare) != "owner":
        raise StanzaError("forbidden", "the vCard is for owners to change")
    try:
        vcard = VCard.of(iq[0])
    except ValueError:
        raise StanzaError("bad-request", "a photo is written in base64") from None
    if len(vcard.xml.encode()) > _BYTES_MAX:
        raise StanzaError("policy-violation", f"a vCard can have {_BYTES_MAX} bytes")
    is_new, room.vcard = vcard != room.vcard, vcard
    if vcard.xml:
        effects.records.append(ValueSaved(room.number, SPACE, "", vcard.xml))
    else:
        effects.records.append(ValueRemoved(room.number, SPACE, ""))
    effects.answer(iq, sender)
    if is_new and not room.locked_until:
        configuration_changed(room, effects, (104,))
