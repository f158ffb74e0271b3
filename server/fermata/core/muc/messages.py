"""Messages to all occupants, and the subject (XEP-0045 §7.4, §8.1)."""

from collections.abc import Iterable, Sequence
from math import inf
from xml.sax.saxutils import unescape

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child, serialise
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..archive_query import Row
from ..keeping import ARCHIVE, room_keeps
from ..records import MessageArchived
from . import push, retraction
from .effects import Effects
from .occupants import Occupant
from .relayed import relayed
from .repeats import repeated
from .state import RoomState
from .subject import Subject, subject_of
from .versions import spread


def groupchat(room: RoomState, sender: JID, message: Element, now: float) -> Effects:
    """A message for everybody. Raises StanzaError `not-acceptable` for a stranger, `forbidden` for who may not."""
    occupant = room.occupants.at(sender)
    if occupant is None:
        raise StanzaError("not-acceptable", "you are not in this room", type="cancel")
    subject = subject_of(message)
    if subject is not None:
        return _change_subject(room, occupant, sender, message, subject, now)
    if occupant.role == "visitor":
        raise StanzaError("forbidden", "visitors have no voice here")
    effects = Effects()
    latest = room.breaks.latest(sender.domain, now)
    if latest > -inf:
        said = repeated(room, occupant, message, latest)
        if said is not None:
            effects.send(said, (sender,))
            return effects
    payload = _broadcast(room, effects, occupant, sender, message, now)
    if payload.archive_id:
        if child(message, "body") is not None:
            room.history.append(payload)
        retraction.follow(room, effects, sender, message, now)
    return effects


def _change_subject(
    room: RoomState, occupant: Occupant, sender: JID, message: Element, subject: str, now: float
) -> Effects:
    if occupant.role != "moderator" and not (occupant.role == "participant" and room.config.changesubject):
        raise StanzaError("forbidden", "the subject is not for you to change")
    effects = Effects()
    setter = occupant.bare.with_resource(occupant.nick)
    room.subject = Subject.of(room.jid, room.secret, subject, setter, now)
    room.save(effects)
    _broadcast(room, effects, occupant, sender, message, now)
    return effects


def _broadcast(
    room: RoomState, effects: Effects, occupant: Occupant, sender: JID, message: Element, now: float
) -> Payload:
    """Sends an occupant's message to all, himself included."""
    shared = relayed(message, room.jid, occupant.jid, "groupchat")
    return publish(room, effects, shared, occupant.id_xml, sender, now)


def publish(room: RoomState, effects: Effects, shared: Element, by: str, sender: JID, now: float) -> Payload:
    """Sends a message to all; one that is kept has its place in the archive as its stanza-id.

    `shared` is the message as everybody gets it, but for the XML `by`, which says whose it is.
    """
    keep = room_keeps(shared)
    seq, id = room.archive.new() if keep else (0, "")
    rest = serialise(shared)[len("<message") :]
    payload = Payload("message", rest, shared.get("from", ""), "groupchat", id, now, keep)
    if by:
        payload = payload.with_child(by)
    if keep:
        kept = "<message" + payload.rest
        effects.records.append(MessageArchived(seq, now, room.number, None, sender, room.jid, keep, kept))
        payload = payload.with_child(stanza_id(room.jid, id))
        room.said.note(sender, payload)
        for said in room.awaited.values():
            said.append(payload)
    spread(room, effects, payload, room.occupants.everyone)
    if keep and room.pushes.all:
        push.announce(room, effects, sender.bare, now)
    return payload


def stanza_id(room: JID, id: str) -> str:
    """The `<stanza-id/>` of a message in the archive of that room (XEP-0359)."""
    return f"<stanza-id xmlns='{ns.SID}' id='{id}' by='{room.attribute}'/>"


def archived(room: JID, id: str, stamp: float, keep: int, xml: str) -> Payload | None:
    """A message as it was sent, from what the archive keeps of it; None for what is no part of the discussion.

    That is what has a body: markers would leave no room for words, and the subject is told by itself (§7.2.15).
    """
    if "<body" not in xml:  # no text can hold a "<"
        return None
    return as_sent(room, id, stamp, keep, xml)


def as_sent(room: JID, id: str, stamp: float, keep: int, xml: str) -> Payload:
    """A message as it was sent, from what the archive keeps of it."""
    sender = unescape(xml.partition("from='")[2].partition("'")[0], {"&apos;": "'", "&quot;": '"'})
    rest = xml.removeprefix("<message")
    return Payload("message", rest, sender, "groupchat", id, stamp, keep).with_child(stanza_id(room, id))


def read_up(room: RoomState, first: str, rows: Sequence[Row], said: Iterable[Payload]) -> tuple[list[Payload], bool]:
    """The messages that were read in the archive, then what was `said` meanwhile (see RoomState.awaited).

    And whether they begin with the one that has the stanza-id `first`.
    """
    archive, last = room.archive, rows[-1].seq if rows else 0
    messages = [as_sent(room.jid, archive.id_of(row.seq), row.stamp, ARCHIVE, row.xml) for row in rows]
    messages += [payload for payload in said if (archive.seq_of(payload.archive_id) or 0) > last]
    return messages, bool(rows) and rows[0].seq == archive.seq_of(first)
