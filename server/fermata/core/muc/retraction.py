"""Retraction of messages by who wrote them, and what is left of a retracted message (XEP-0424)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child, serialise
from ...xmpp.jid import JID
from ...xmpp.stamps import text_of
from ..keeping import is_content
from ..records import MessageReplaced
from ..stored_xml import stanza_from
from .effects import Effects
from .occupants import occupant_id
from .state import RoomState

RETRACT: Final = "{%s}retract" % ns.RETRACT
_RETRACTED: Final = "{%s}retracted" % ns.RETRACT
_OCCUPANT_ID: Final = "{%s}occupant-id" % ns.OCCUPANT_ID


def follow(room: RoomState, effects: Effects, sender: JID, message: Element, now: float) -> None:
    """Takes back what a groupchat message retracts; what is older than the history has to be recalled first."""
    retract = child(message, RETRACT)
    id = retract.get("id", "") if retract is not None else ""
    seq = room.archive.seq_of(id) if id else None
    if seq is None:
        return
    found = room.history.find(id)
    if found is None:
        effects.recall = seq
    else:
        take_back(room, effects, sender, message, found.addressed(sender), now)


def take_back(room: RoomState, effects: Effects, sender: JID, message: Element, archived: str, now: float) -> None:
    """Buries a message if who retracts it by `message` has written it: his occupant-id tells (XEP-0424 §6)."""
    original, retract = stanza_from(archived), child(message, RETRACT)
    author = child(original, _OCCUPANT_ID)
    if retract is None or author is None or author.get("id") != occupant_id(room.secret, sender.bare):
        return
    if is_content(original):
        bury(room, effects, retract.get("id", ""), original, message.get("id", ""), now)


def bury(
    room: RoomState, effects: Effects, id: str, original: Element, retraction: str, now: float, *why: Element
) -> None:
    """Leaves a tombstone in place of the message with the stanza-id `id` (XEP-0424 §5): who wrote it, but not what.

    `retraction` is the id of the message that retracts it; `why` stands in the tombstone.
    """
    tombstone = Element("message", {name: value for name, value in original.attrib.items() if name != "to"})
    tombstone.extend([item for item in original if item.tag == _OCCUPANT_ID])
    by = {"id": retraction} if retraction else {}
    tombstone.append(E(_RETRACTED, {**by, "stamp": text_of(now)}, *why))
    seq = room.archive.seq_of(id)
    if seq is not None:
        effects.records.append(MessageReplaced(serialise(tombstone), seq, room.number))
    room.history.forget(id)
