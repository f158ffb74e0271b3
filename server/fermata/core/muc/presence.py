"""The presences that a room makes: who sees what of whom (XEP-0045 §7.2.2 to §7.2.4, §17.3).

What they are put together of is in `appearance`.
"""

from collections.abc import Collection, Iterable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.delay import DELAY
from ...xmpp.element import E, Element, serialise
from ...xmpp.jid import JID
from ..stored_xml import stanza_from
from .appearance import Notice, compose
from .effects import Effects
from .occupants import Occupant
from .relayed import LANG, passed_on
from .state import RoomState
from .versions import note, note_gone, spread

# What everybody in a room is sent of everybody else: a client that enters must be able to take all of it.
_MOST_CHARACTERS: Final = 10_000


def presence_text(stanza: Element, room: JID) -> str:
    """What the room keeps of a presence: its language and its children, as `occupants.Session` says.

    A very long one is as good as one that says nothing.
    """
    lang = stanza.get(LANG)
    kept = Element("presence", {LANG: lang} if lang else {})
    kept.extend(passed_on(stanza, room))
    text = serialise(kept)
    if len(text) > _MOST_CHARACTERS:
        return ">"
    return text[9:-11] if text.endswith("</presence>") else text[9:-2] + ">"


def is_same(text: str, other: str) -> bool:
    """Whether two presences, as `presence_text` has them, say the same, in whatever order and with whatever delay."""
    return text == other or _said(text) == _said(other)


def _said(text: str) -> list[str]:
    presence = stanza_from(f"<presence{text}</presence>")
    said = [serialise(item) for item in presence if item.tag != DELAY]
    return sorted([*said, presence.get(LANG, "")])


def gone(occupant: Occupant, jid: JID, codes: tuple[int, ...] = (), inside: str = "", presence: str = ">") -> Notice:
    """The occupant, or one session of it, is not in the room any more (§7.14)."""
    return Notice(
        occupant.jid, occupant.id_xml, jid, occupant.affiliation, "none", "unavailable", presence, "", inside, "", codes
    )


def item_children(actor: str = "", reason: str = "") -> str:
    """What stands inside an `<item/>`: the nickname of who did it, and why, as XML."""
    found = []
    if actor:
        found.append(E("{%s}actor" % ns.MUC_USER, {"nick": actor}))
    if reason:
        found.append(E("{%s}reason" % ns.MUC_USER, None, reason))
    return "".join([serialise(item, ns.MUC_USER) for item in found])


def is_shown(room: RoomState, occupant: Occupant) -> bool:
    """Whether others are told the presence of an occupant with that role (`presencebroadcast`)."""
    return occupant.role in room.config.presencebroadcast


def _without(own: Collection[JID], sessions: tuple[JID, ...]) -> tuple[JID, ...]:
    return tuple([session for session in sessions if session not in own]) if own else sessions


def show(room: RoomState, effects: Effects, occupant: Occupant) -> None:
    """Tells everybody else in the room the presence of an occupant as it was refreshed last."""
    if is_shown(room, occupant):
        note(room, effects, occupant)
        spread(room, effects, occupant.revealing, _without(occupant.sessions, room.entitled()))
        spread(room, effects, occupant.plain, _without(occupant.sessions, room.unentitled()))


def tell_others(room: RoomState, effects: Effects, notice: Notice, own: Collection[JID] = ()) -> None:
    """Says it to everybody in the room but these sessions."""
    occupant = None if notice.type else room.occupants.named(notice.sender.resource)
    if occupant is None:
        note_gone(room, effects, notice.sender.resource, notice.affiliation, notice.id_xml)
    else:
        note(room, effects, occupant)
    entitled, unentitled = _without(own, room.entitled()), _without(own, room.unentitled())
    if entitled:
        spread(room, effects, compose(notice, True, notice.codes), entitled)
    if unentitled:
        spread(room, effects, compose(notice, False, notice.codes), unentitled)


def tell_self(
    room: RoomState,
    effects: Effects,
    notice: Notice,
    sessions: Iterable[JID],
    codes: tuple[int, ...] = (),
    id: str = "",
) -> None:
    """Says it to sessions of the occupant itself: with status 110, and with the real JID that is its own."""
    spread(room, effects, compose(notice, True, (110, *codes, *notice.codes), id), tuple(sessions))
