"""What the administrators of the server do to a room from outside of it."""

from ...xmpp import namespaces as ns
from ...xmpp.element import E
from ...xmpp.jid import JID
from . import push
from .changes import Changes
from .effects import Effects
from .owner import dissolve
from .ranks import NONE
from .state import RoomState


def destroy(room: RoomState, reason: str, now: float) -> Effects:
    """Destroys the room (XEP-0045 §10.9): everybody in it is told, with the reason if there is one."""
    effects = Effects()
    told = E("{%s}destroy" % ns.MUC_USER)
    if reason:
        told.append(E("{%s}reason" % ns.MUC_USER, None, reason))
    dissolve(room, effects, told, now)
    return effects


def forget(room: RoomState, bare: JID, now: float) -> Effects:
    """An account is removed: whoever gets its address later has no affiliation with the room, unless it is banned."""
    effects = Effects()
    push.forget(room, effects, bare)
    found = room.affiliations.get(bare)
    if found is not None and found.affiliation != "outcast":
        changes = Changes(room, effects, room.jid, now)
        changes.set_affiliation(bare, NONE)
        changes.announce()
    return effects
