"""Nicknames that are reserved for somebody (XEP-0045 §7.10, §9.5)."""

from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID, JIDError
from ...xmpp.nickname import nickname_key
from .state import RoomState


def reservable(room: RoomState, bare: JID, nick: str) -> str:
    """The nickname as it can be reserved for a person.

    Raises StanzaError: `jid-malformed` if it is none, `conflict` if it is reserved for somebody else.
    """
    try:
        prepared = room.jid.with_resource(nick).resource
        key = nickname_key(prepared)
    except JIDError:
        raise StanzaError("jid-malformed", "that is no nickname") from None
    if room.reserved.get(key, bare) != bare:
        raise StanzaError("conflict", "this nickname is somebody else's")
    return prepared


def granted_jid(room: RoomState, bare: JID, wanted: JID) -> JID:
    """The occupant JID that somebody gets who wants this one.

    Where reserved nicknames are locked, who has one goes by it, whatever he asks for (§7.10).
    """
    found = room.affiliations.get(bare) if room.config.reservednick else None
    return room.jid.with_resource(found.nick) if found is not None and found.nick else wanted
