"""The presences that a room makes: who sees what of whom (XEP-0045 §7.2.2 to §7.2.4, §17.3).

They are put together as text from parts that were serialised once: a room with many occupants makes many.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, escape, serialise
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..stored_xml import stanza_from
from .effects import Effects
from .occupants import Occupant
from .relayed import LANG, passed_on
from .state import RoomState
from .versions import note, note_gone, spread

# What everybody in a room is sent of everybody else: a client that enters must be able to take all of it.
_MOST_CHARACTERS: Final = 10_000
_DELAY: Final = "{%s}delay" % ns.DELAY
_X: Final = f"<x xmlns='{ns.MUC_USER}'>"


class Notice(NamedTuple):
    """What the room says about an occupant, but for what depends on who reads it.

    `jid` is the real JID, for those who may see it; `presence` is kept as by `occupants.Session`; `nick` is the new
    nickname of who changes it; `inside` stands within `<item/>` and `after` behind it, both XML; `codes` say why.
    """

    sender: JID
    id_xml: str
    jid: JID
    affiliation: str
    role: str
    type: str = ""
    presence: str = ">"
    nick: str = ""
    inside: str = ""
    after: str = ""
    codes: tuple[int, ...] = ()


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
    said = [serialise(item) for item in presence if item.tag != _DELAY]
    return sorted([*said, presence.get(LANG, "")])


def present(occupant: Occupant, inside: str = "") -> Notice:
    """The occupant as it is now."""
    shown = occupant.shown
    return Notice(
        occupant.jid,
        occupant.id_xml,
        shown.jid,
        occupant.affiliation,
        occupant.role,
        presence=shown.presence,
        inside=inside,
    )


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


def compose(notice: Notice, reveal: bool, codes: Iterable[int] = (), id: str = "") -> Payload:
    """One presence from an occupant, with its real JID or without."""
    sender, id_xml, jid, affiliation, role, kind, presence, nick, inside, after, _ = notice
    attributes = f" from='{sender.attribute}'"
    if id:
        attributes += f" id='{escape(id)}'"
    if kind:
        attributes += f" type='{kind}'"
    item = f"<item affiliation='{affiliation}' role='{role}'"
    if reveal:
        item += f" jid='{jid.attribute}'"
    if nick:
        item += f" nick='{escape(nick)}'"
    item += f">{inside}</item>" if inside else "/>"
    statuses = "".join([f"<status code='{code}'/>" for code in codes])
    rest = f"{attributes}{presence}{id_xml}{_X}{item}{after}{statuses}</x></presence>"
    return Payload("presence", rest, sender, kind)


def refresh(occupant: Occupant) -> None:
    """Makes the presences anew that others see of an occupant; to be called after whatever changes them."""
    notice = present(occupant)
    occupant.plain, occupant.revealing = compose(notice, False), compose(notice, True)


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
