"""History by id: what was said since the last message that somebody has seen who enters (urn:x-fermata:history:0).

    <history xmlns='urn:x-fermata:history:0' after='STANZA-ID' max='100'/>

stands where the `<history/>` of XEP-0045 would, and instead of it. The ids are those of the archive. Where not all of
it is told, a message of the room says so first:

    <history xmlns='urn:x-fermata:history:0' truncated='true' first='STANZA-ID'/>

The archive is read before the sender enters; what is said in the meantime is taken from `RoomState.awaited`.
"""

from collections import deque
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.delay import delayed
from ...xmpp.element import Element, child
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..archive_query import Found, Selection
from .effects import Reading
from .history import Limits
from .messages import read_up
from .state import RoomState

MOST: Final = 200  #: so many messages are told at most to somebody who enters
_UNLESS_ASKED: Final = 100
_HISTORY: Final = "{%s}history" % ns.HISTORY


class Asked(NamedTuple):
    """What somebody asks for: what came after the message with that stanza-id, at most so many messages."""

    after: str
    most: int


class Missed(NamedTuple):
    """The messages to be told, oldest first; whether that is all that there is."""

    messages: list[Payload]
    is_all: bool


def asked(element: Element) -> Asked | None:
    """What the `<history/>` in an element asks for, if there is one. Raises StanzaError `bad-request`."""
    history = child(element, _HISTORY)
    if history is None:
        return None
    most = history.get("max", str(_UNLESS_ASKED))
    if not (most.isascii() and most.isdigit()) or not history.get("after"):
        raise StanzaError("bad-request", "history is asked for by a stanza-id and a number")
    return Asked(history.get("after", ""), min(int(most[:9]), MOST))


def read(room: RoomState, sender: JID, wanted: Asked) -> Reading:
    """What has to be read in the archive; from now on, what is said is kept for the sender.

    The message that he has seen is read as well: if it is found, nothing is missing behind it.
    """
    room.awaited[sender] = deque(maxlen=MOST + 1)
    place = room.archive.seq_of(wanted.after)
    return Reading(sender, Selection(wanted.most + 1, newest=True, after=0 if place is None else place - 1))


def found(room: RoomState, sender: JID, wanted: Asked, answer: Found) -> Missed | None:
    """What is to be told, now that the archive was read; None if it must be read again."""
    said = room.awaited.pop(sender, None)
    if said is None or len(said) == said.maxlen:
        return None
    messages, is_all = read_up(room, wanted.after, answer.rows, said)
    if is_all:
        del messages[0]  # he has seen it
    told = [delayed(message, room.jid, message.stamp) for message in messages if _is_told(message.rest)]
    is_all = is_all and len(messages) <= wanted.most
    return Missed(told[max(0, len(told) - wanted.most) :], is_all)


def remembered(room: RoomState, sender: JID, wanted: Asked) -> Missed:
    """What is to be told where there are no archives: what the room remembers."""
    place = room.archive.seq_of(wanted.after)
    limits = Limits(messages=wanted.most)
    messages, is_all = room.history.unseen(place or 0, room.archive.seq_of, limits, sender)
    return Missed(messages, is_all and place is not None)


def truncated(room: RoomState, missed: Missed) -> Payload:
    """Says that there was more."""
    first = f" first='{missed.messages[0].archive_id}'" if missed.messages else ""
    rest = (
        f" from='{room.jid.attribute}' id='{room.new_id()}' type='groupchat'>"
        f"<history xmlns='{ns.HISTORY}' truncated='true'{first}/></message>"
    )
    return Payload("message", rest, room.jid, "groupchat")


def _is_told(xml: str) -> bool:
    """Tombstones (XEP-0424 §5) and subjects are no history. No text can hold a "<"."""
    return "<body" in xml or not ("<retracted" in xml or ("<subject" in xml and "<thread" not in xml))
