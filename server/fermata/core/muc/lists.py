"""Who may see which list of affiliations (XEP-0045 §9.5, §10.5, §10.8)."""

from ...xmpp.jid import JID
from .ranks import affiliation_at_least
from .state import RoomState


def may_list(room: RoomState, sender: JID, affiliation: str) -> bool:
    """Whether somebody may see who has an affiliation.

    Real JIDs stay with the owners, but those of a non-anonymous room are no secret.
    """
    config, own, occupant = room.config, room.affiliation_of(sender.bare), room.occupants.at(sender)
    allowed = affiliation_at_least(own, "owner" if affiliation in ("admin", "owner") else "admin")
    if affiliation != "outcast":
        allowed |= config.nonanonymous and affiliation_at_least(own, "member")
        allowed |= occupant is not None and occupant.role in config.getmemberlist
    return allowed
