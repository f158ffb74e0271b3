"""Rejoin if needed: a presence that lets in who is not in the room, and does nothing else (urn:x-fermata:rejoin:0).

    <rejoin-if-needed xmlns='urn:x-fermata:rejoin:0'>
      <password/> <history xmlns='urn:x-fermata:history:0'/> <presence-session type='resume'/>
    </rejoin-if-needed>

stands in the presence instead of the `<x/>` of XEP-0045, with which everything would be told anew. Whoever is in gets
his own presence as the answer; whoever is not enters, if he may, and finds `<rejoined/>` in it.
"""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child
from ...xmpp.jid import JID
from ..archive_query import Found
from .effects import Effects
from .enter import MUC, change_availability, enter
from .presence import is_same, presence_text, tell_self
from .relayed import addressed
from .rename import rename
from .state import RoomState

#: Whoever asks again within this time is only told that he is in, whatever else his presence says.
PAUSE_SECONDS: Final = 10.0
_REJOIN: Final = "{%s}rejoin-if-needed" % ns.REJOIN
_OUR_PASSWORD: Final = "{%s}password" % ns.REJOIN
_PASSWORD: Final = "{%s}password" % ns.MUC


def asked(presence: Element) -> Element | None:
    """The element of a presence that asks for it, if there is one."""
    return child(presence, _REJOIN)


def rejoin(room: RoomState, sender: JID, presence: Element, asked: Element, now: float, found: Found | None) -> Effects:
    """A session that does not know whether it is in. Raises StanzaError as for who enters or changes his nickname."""
    occupant = room.occupants.at(sender)
    if occupant is None:
        return enter(room, sender, presence, _as_join(asked), now, found=found, is_back=True)
    effects, session, id = Effects(), occupant.sessions[sender], presence.get("id", "")
    if now - session.rejoined < PAUSE_SECONDS:
        tell_self(room, effects, occupant.notice(), (sender,), id=id)
        return effects
    session.rejoined = now
    if addressed(presence).resource not in ("", occupant.nick):
        rename(room, effects, occupant, sender, presence, now)
    elif is_same(presence_text(presence, room.jid), session.presence):
        tell_self(room, effects, occupant.notice(), (sender,), id=id)
    else:
        change_availability(room, effects, occupant, sender, presence)
    return effects


def _as_join(asked: Element) -> Element:
    """The same as the `<x/>` of somebody who enters."""
    muc = Element(MUC)
    for item in asked:
        muc.append(E(_PASSWORD, None, item.text or "") if item.tag == _OUR_PASSWORD else item)
    return muc
