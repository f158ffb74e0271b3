"""Messages that come twice, because a connection broke before the first was acknowledged (design invariant 4).

Whoever sends again does so within minutes of the break. A message is the same if the same person has sent it, under
the same id and with the same content; nobody but he then hears of it again.
"""

from collections.abc import Iterator

from ...xmpp.element import Element, escape
from ...xmpp.payload import Payload
from ..repeats import content, ids
from ..stored_xml import stanza_from
from .occupants import Occupant
from .state import RoomState


def repeated(room: RoomState, occupant: Occupant, message: Element, latest: float) -> Payload | None:
    """The message as everybody has got it, if an occupant has sent it before `latest`; None if it is a new one."""
    means: tuple[str, ...] | None = None  # what it says is asked only once it has an id that was there before
    for said in _candidates(room, occupant, [escape(id) for id in ids(message)], latest):
        means = content(message) if means is None else means
        if content(stanza_from("<message" + said.rest)) == means:
            return said
    return None


def _candidates(room: RoomState, occupant: Occupant, written: list[str], latest: float) -> Iterator[Payload]:
    """What he has said under one of these ids, as they are written, before `latest`."""
    if not written:
        return
    yield from (said for said in room.said.under(occupant.bare, written) if said.stamp <= latest)
    marks = [f" id='{id}'" for id in written]
    for said in room.history.until(latest):
        if occupant.id_xml in said.rest and any(mark in said.rest for mark in marks):
            yield said
