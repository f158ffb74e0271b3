"""Members who are not in a room of members, as presences tell of them to those who keep versions (XEP-0436 §4.1)."""

from ...xmpp.jid import JID
from ...xmpp.nickname import nickname_key
from ...xmpp.payload import Payload
from .appearance import Notice, compose
from .changelog import Unannounced
from .effects import Effects
from .occupants import occupant_id_xml
from .ranks import NONE
from .state import RoomState
from .versions import Marks, note_gone, spread


def vanished(jid: JID, id_xml: str, affiliation: str) -> Payload:
    """Nobody is there under that occupant JID; who last was, or would be, is told by his occupant-id."""
    return compose(Notice(jid, id_xml, jid, affiliation, "none", "unavailable"), False)


def members(room: RoomState) -> list[Payload]:
    """The members who are not here, as far as they have nicknames; none where anybody may come."""
    if not room.config.membersonly:
        return []
    return [
        vanished(room.jid.with_resource(found.nick), occupant_id_xml(room.secret, JID.parse(bare)), found.affiliation)
        for bare, found in room.affiliations.items()
        if found.nick and room.occupants.like(nickname_key(found.nick)) is None
    ]


def tell(room: RoomState, effects: Effects, change: Unannounced) -> None:
    """The affiliation of somebody who is not here has changed."""
    log = room.changelog
    if log is None or not room.config.membersonly or not change.nick:
        return
    if room.occupants.like(nickname_key(change.nick)) is not None:
        return
    affiliation = room.affiliations.get(change.bare, NONE).affiliation
    id_xml = occupant_id_xml(room.secret, change.bare)
    note_gone(room, effects, change.nick, affiliation, id_xml)
    readers = tuple([session for session, watch in log.watches.items() if watch.marks & Marks.PRESENCE])
    spread(room, effects, vanished(room.jid.with_resource(change.nick), id_xml, affiliation), readers)
