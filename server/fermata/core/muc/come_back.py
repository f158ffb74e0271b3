"""The call to come back: whom a stop has put out of a room is invited into it again (XEP-0045 §7.8.2).

Clients answer an invitation into a room in which they believe to be with a self-ping (XEP-0410), and so learn that they
have to enter again. It is for this one session and for nobody's archive. Who wants it says so when he enters, by
`<restart-notify xmlns='urn:x-fermata:restart:0'/>` in the `<x/>` of his presence.
"""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from ...xmpp.stamps import text_of
from ..records import InviteSettled
from .effects import Effects
from .ranks import affiliation_at_least
from .state import RoomState

_WISH: Final = "{%s}restart-notify" % ns.RESTART
_BACK: Final = "{%s}back-online" % ns.RESTART
_X: Final = "{%s}x" % ns.MUC_USER
_INVITE: Final = "{%s}invite" % ns.MUC_USER
_REASON: Final = "{%s}reason" % ns.MUC_USER
_PASSWORD: Final = "{%s}password" % ns.MUC_USER
_NO_STORE: Final = "{%s}no-store" % ns.HINTS
_NO_COPY: Final = "{%s}no-copy" % ns.HINTS
_PRIVATE: Final = "{%s}private" % ns.CARBONS


def wants_invite(muc: Element) -> bool:
    """Whether the `<x/>` of a presence that enters asks for it."""
    return child(muc, _WISH) is not None


def call(room: RoomState, session: JID, since: float) -> Effects:
    """Invites a session that a stop has put out, if it may still enter and has not done so.

    `since` is when the room came back. Whatever it says, it is said once: an error, or entering, settles it.
    """
    effects = Effects()
    if room.occupants.at(session) is not None or not _may_enter(room, session.bare):
        effects.records.append(InviteSettled(room.number, session))
        return effects
    room.invited.add(session)
    effects.send(payload_of(_invitation(room, session.bare, since)), (session,))
    return effects


def _may_enter(room: RoomState, bare: JID) -> bool:
    """Whether anybody but the room's present occupants could keep him out."""
    affiliation = room.affiliation_of(bare)
    if room.locked_until:
        return affiliation == "owner"
    return affiliation != "outcast" and (affiliation != "none" or not room.config.membersonly)


def _invitation(room: RoomState, bare: JID, since: float) -> Element:
    x = E(_X, None, E(_INVITE, {"from": room.jid}, E(_REASON, None, "The room is back online")))
    if room.config.passwordprotectedroom and affiliation_at_least(room.affiliation_of(bare), "member"):
        # Everybody else may know it, or may have known the one before.
        x.append(E(_PASSWORD, None, room.config.roomsecret))
    back = E(_BACK, {"since": text_of(since)})
    newest = room.history.newest_id
    if newest:
        back.set("id", newest)
    # No type: a normal message to a session that is gone goes nowhere else (RFC 6121 §8.5.3.2.1).
    attributes = {"from": room.jid, "id": room.new_id()}
    return E("message", attributes, x, back, E(_NO_STORE), E(_NO_COPY), E(_PRIVATE))


def settle(room: RoomState, effects: Effects, session: JID) -> None:
    """A session that was called has entered, or will not come: nothing more is owed to it."""
    if session in room.invited:
        room.invited.discard(session)
        effects.records.append(InviteSettled(room.number, session))
