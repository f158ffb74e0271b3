"""Asking the archive of a room (XEP-0313): the room says who may read what of it, and shows what was read for it.

Who may enter may read. The authors' real addresses are for those who may see them now, whenever the message was
written.
"""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..archive_answer import Ends, fin, form, metadata, results
from ..archive_query import FIELDS, METADATA, Found, Match, Query, Row
from .disco import check_open
from .effects import Effects, Flood, Reading
from .messages import stanza_id
from .state import RoomState

_MESSAGE: Final = "<message"


def give_form(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Answers with the fields that a query can have."""
    _check_reader(room, sender)
    effects.answer(iq, sender, form(FIELDS))


def read(room: RoomState, effects: Effects, sender: JID, iq: Element, now: float) -> None:
    """Says which messages are to be read, or that it is the ends of the archive."""
    _check_reader(room, sender)
    if iq[0].tag == METADATA:
        effects.reading = Reading(sender, None)
        return
    query = Query.parse(iq[0])
    effects.reading = Reading(sender, query.selection(room.archive.seq_of, _match(room, sender, query.jid)))


def conclude(room: RoomState, effects: Effects, sender: JID, iq: Element, answer: Found | Ends | None) -> None:
    """Shows what was read, as far as it is still for the sender to see: messages first, then the result."""
    _check_reader(room, sender)
    if not isinstance(answer, Found):
        effects.answer(iq, sender, metadata(answer, room.archive.id_of))
        return
    query, reveals = Query.parse(iq[0]), room.entitles(sender)
    _match(room, sender, query.jid)

    def told(row: Row, id: str) -> str:
        return _told(room, row, id, reveals)

    payloads = results(room.jid, query, answer, room.archive.id_of, told)
    if payloads:
        effects.sends.append(Flood(payloads, sender))
    effects.answer(iq, sender, fin(answer, room.archive.id_of))


def _check_reader(room: RoomState, sender: JID) -> None:
    if not room.archive.is_kept:
        raise StanzaError("service-unavailable", "rooms have no archives here")
    check_open(room, sender)
    config, affiliation = room.config, room.affiliation_of(sender.bare)
    if affiliation == "outcast":
        raise StanzaError("forbidden", "you are banned from this room")
    is_closed = config.membersonly or config.passwordprotectedroom
    # Whether a stranger knows the password only shows when he enters.
    if is_closed and affiliation == "none" and not room.occupants.of(sender.bare):
        raise StanzaError("forbidden", "the archive is for those who may enter")


def _match(room: RoomState, sender: JID, jid: JID | None) -> Match | None:
    """How `with` is meant: an occupant JID is for all to see, a real one for those who may see it (§4.1.1)."""
    if jid is None or jid == room.jid:
        return None
    if jid.bare == room.jid:
        return Match.OCCUPANT
    if not room.entitles(sender):
        raise StanzaError("forbidden", "who wrote a message is not for you to ask")
    return Match.SENDER


def _told(room: RoomState, row: Row, id: str, reveals: bool) -> str:
    """A message as it was sent live; with the author's real address if that is to be revealed."""
    more = stanza_id(room.jid, id)
    if reveals and row.xml.startswith(f"{_MESSAGE} from='{room.jid.attribute}/"):
        more += f"<x xmlns='{ns.MUC_USER}'><item jid='{JID.parse(row.sender).attribute}'/></x>"
    return _MESSAGE + Payload("message", row.xml.removeprefix(_MESSAGE), "").with_child(more).rest
