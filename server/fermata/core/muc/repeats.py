"""Messages that come twice, because a connection broke before the first was acknowledged (design invariant 4).

Whoever sends again does so within minutes of the break. A message is the same if the same person has sent it, under
the same id and with the same content; nobody but he then hears of it again.
"""

from collections.abc import Iterator
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, escape, serialise
from ...xmpp.payload import Payload
from ..stored_xml import stanza_from
from .occupants import Occupant
from .state import RoomState

_ORIGIN_ID: Final = "{%s}origin-id" % ns.SID
# What is not content: when, by whom and in which archive.
_AROUND: Final = frozenset({"{%s}delay" % ns.DELAY, "{%s}stanza-id" % ns.SID, "{%s}occupant-id" % ns.OCCUPANT_ID})


def repeated(room: RoomState, occupant: Occupant, message: Element) -> Payload | None:
    """The message as everybody has got it, if an occupant has sent it before; None if it is a new one."""
    ids = [escape(id) for id in _ids(message)]
    content = _content(message) if ids else []
    for said in _candidates(room, occupant, ids):
        if _content(stanza_from("<message" + said.rest)) == content:
            return said
    return None


def _candidates(room: RoomState, occupant: Occupant, ids: list[str]) -> Iterator[Payload]:
    """What he has said under one of these ids."""
    yield from room.said.under(occupant.bare, ids)
    if ids:
        marks = [f" id='{id}'" for id in ids]
        for said in room.history.backwards():
            if occupant.id_xml in said.rest and any(mark in said.rest for mark in marks):
                yield said


def _ids(message: Element) -> list[str]:
    found = [message.get("id", ""), *(item.get("id", "") for item in message if item.tag == _ORIGIN_ID)]
    return [id for id in found if id]


def _content(message: Element) -> list[str]:
    return sorted(serialise(item) for item in message if item.tag not in _AROUND)
