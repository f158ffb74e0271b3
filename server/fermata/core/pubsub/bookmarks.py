"""Bookmarks (XEP-0402), and the one list of all of them that older clients know (XEP-0048).

An item for each room is what is kept; the list is made of the items when somebody asks for it, and taken apart again
when somebody writes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child, copy_of, serialise
from ...xmpp.jid import JID, JIDError

STORAGE: Final = "{%s}storage" % ns.BOOKMARKS_STORAGE
_OLD: Final = "{%s}conference" % ns.BOOKMARKS_STORAGE
_NEW: Final = "{%s}conference" % ns.BOOKMARKS
_TRUE: Final = frozenset({"1", "true"})
# So many at once are no decision about each of them.
_SWEEPING: Final = 4


class Bookmark(NamedTuple):
    """A room that somebody wants to find again, and to be in if it has `autojoin`."""

    room: JID
    name: str = ""
    autojoin: bool = False
    nick: str = ""
    password: str = ""
    extensions: Element | None = None


class Edit(NamedTuple):
    """What becomes of the item with that id: a new payload or, for None, it goes."""

    id: str
    payload: Element | None


class Rewriting(NamedTuple):
    """What a new list comes to. `is_sweeping`: it ends the autojoin of so many rooms that it may be a mistake."""

    edits: Sequence[Edit]
    is_sweeping: bool


def bookmark_of(id: str, payload: Element | None) -> Bookmark | None:
    """The bookmark that an item is; None if it is none."""
    room = room_of(id)
    if room is None or payload is None or payload.tag != _NEW:
        return None
    autojoin = payload.get("autojoin", "") in _TRUE
    nick, password = _text(payload, ns.BOOKMARKS, "nick"), _text(payload, ns.BOOKMARKS, "password")
    extensions = child(payload, "{%s}extensions" % ns.BOOKMARKS)
    return Bookmark(room, payload.get("name", ""), autojoin, nick, password, extensions)


def storage(items: Mapping[str, Element | None], others: Iterable[Element]) -> Element:
    """The list that older clients know: all bookmarks, and what is in it beside them."""
    found = (bookmark_of(id, payload) for id, payload in items.items())
    return E(STORAGE, None, *(_cast(bookmark) for bookmark in found if bookmark is not None), *others)


def others(written: Element) -> list[Element]:
    """What is in a list beside rooms: addresses of web pages, and what else clients have thought of."""
    return [item for item in written if item.tag != _OLD]


def rewriting(items: Mapping[str, Element | None], written: Element) -> Rewriting:
    """What a list that an older client has written means for the items.

    Of a room that is in both, what the list cannot say stays: extensions above all. A list that has never heard of
    autojoin, and would end it everywhere, does not end it.
    """
    present = {room: id for id in items if (room := room_of(id)) is not None}
    wanted: dict[JID, Element] = {}
    for conference in written:
        room = room_of(conference.get("jid", "")) if conference.tag == _OLD else None
        if room is not None:
            wanted.setdefault(room, conference)
    before = {room: bookmark_of(id, items[id]) for room, id in present.items()}
    joined = {room for room, bookmark in before.items() if bookmark is not None and bookmark.autojoin}
    ended = {room for room in joined if room not in wanted or wanted[room].get("autojoin", "") not in _TRUE}
    is_sweeping = len(ended) >= _SWEEPING
    knows_autojoin = any("autojoin" in conference.attrib for conference in wanted.values())
    keeps = joined if is_sweeping and not knows_autojoin else frozenset[JID]()
    edits = [Edit(id, None) for room, id in present.items() if room not in wanted and before[room] is not None]
    for room, conference in wanted.items():
        id = present.get(room, room)
        old = items.get(id)
        new = _merged(old, conference, room in keeps)
        if old is None or serialise(new) != serialise(old):
            edits.append(Edit(id, new))
    return Rewriting(edits, is_sweeping)


def _merged(old: Element | None, conference: Element, keeps_autojoin: bool) -> Element:
    new = Element(_NEW) if old is None or old.tag != _NEW else copy_of(old)
    name = conference.get("name", "")
    if new.get("name", "") != name:
        _set(new, "name", name)
    autojoin = keeps_autojoin or conference.get("autojoin", "") in _TRUE
    if autojoin != (new.get("autojoin", "") in _TRUE):
        _set(new, "autojoin", "true" if autojoin else "false")
    for place, part in enumerate(("nick", "password")):
        text = _text(conference, ns.BOOKMARKS_STORAGE, part)
        if text != _text(new, ns.BOOKMARKS, part):
            _replace(new, "{%s}%s" % (ns.BOOKMARKS, part), text, place)
    return new


def _set(element: Element, name: str, value: str) -> None:
    if value:
        element.set(name, value)
    else:
        element.attrib.pop(name, None)


def _replace(element: Element, tag: str, text: str, place: int) -> None:
    found = child(element, tag)
    if found is not None:
        element.remove(found)
    if text:
        element.insert(min(place, len(element)), E(tag, None, text))


def _cast(bookmark: Bookmark) -> Element:
    attributes = {"jid": bookmark.room, "autojoin": "true" if bookmark.autojoin else "false"}
    if bookmark.name:
        attributes["name"] = bookmark.name
    conference = E(_OLD, attributes)
    for name, text in (("nick", bookmark.nick), ("password", bookmark.password)):
        if text:
            conference.append(E("{%s}%s" % (ns.BOOKMARKS_STORAGE, name), None, text))
    return conference


def _text(element: Element, uri: str, name: str) -> str:
    found = child(element, "{%s}%s" % (uri, name))
    return "" if found is None else found.text or ""


def room_of(text: str) -> JID | None:
    """The room that the id of an item names; None if it can name none."""
    try:
        jid = JID.parse(text)
    except JIDError:
        return None
    return jid.bare if jid.local else None
