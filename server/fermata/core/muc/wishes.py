"""What somebody who enters a room asks for, and what he has seen of it (XEP-0045 §7.2.14, XEP-0311, 0436, 0463)."""

from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, child
from ...xmpp.jid import JID
from ..archive_query import Found
from . import affiliation_versions
from . import missed as by_id
from .effects import Reading
from .history import Limits
from .state import RoomState
from .versions import Marks

_HISTORY: Final = "{%s}history" % ns.MUC
_USER: Final = "{%s}x" % ns.MUC_USER
_SESSION: Final = "{%s}presence-session" % ns.PRESENCE_SESSION
_RESUME: Final = "{%s}presence-session-resume" % ns.PRESENCE_SESSION
_VERSION: Final = "{%s}version" % ns.PRESENCE_VERSIONING


class Wish(NamedTuple):
    """What somebody who enters asks to be told, and what he has seen.

    `limits` are for the history, `asked` and `missed` for history by id: what is asked for and, once that was read,
    what there is. `marks` say how he wants to be told numbers; `resumes`, that he gave one: `epoch` and `number` with
    `place`, the last message that he saw. `affiliations` is the version of the lists that he has. `is_back` says that
    he did not know whether he was in (see `rejoin`).
    """

    limits: Limits = Limits()
    asked: by_id.Asked | None = None
    missed: by_id.Missed | None = None
    marks: Marks = Marks(0)
    resumes: bool = False
    epoch: str = ""
    number: str = ""
    place: str = ""
    affiliations: str = ""
    is_back: bool = False


_ASKING: Final = frozenset({_USER, _SESSION, _RESUME})
_NOTHING: Final = Wish()  # what nearly everybody asks for


def wish_of(room: RoomState, presence: Element, muc: Element, now: float) -> Wish:
    """What the presence of somebody who enters asks for, by what stands in it and in its `<x/>`.

    Raises StanzaError `bad-request`.
    """
    if not len(muc) and not any(item.tag in _ASKING for item in presence):
        return _NOTHING
    limits = Limits.parse(child(muc, _HISTORY), now)
    if not room.cheap_rejoin:
        return Wish(limits)
    marks, epoch, number, place, resumes = Marks(0), "", "", "", False
    version = version_in(presence)
    if version is not None:
        marks |= Marks.PRESENCE
        epoch, _, number = version.partition(".")
        resumes = bool(version)
    for tag in (_SESSION, _RESUME):
        session = _first(presence, muc, tag)
        if session is not None:
            marks |= Marks.SESSION
            if tag == _RESUME or session.get("type") == "resume":
                resumes, epoch = True, session.get("session", "")
                number, _, place = session.get("id", "").partition(".")
    affiliations = affiliation_versions.asked(muc)
    if affiliations is not None:
        marks |= Marks.AFFILIATIONS
    return Wish(limits, by_id.asked(muc), None, marks, resumes, epoch, number, place, affiliations or "")


def version_in(presence: Element) -> str | None:
    """The version of its presences that a client has (XEP-0436); None if it keeps none."""
    user = child(presence, _USER)
    version = child(user, _VERSION) if user is not None else None
    return None if version is None else version.get("ver", "")


def _first(presence: Element, muc: Element, tag: str) -> Element | None:
    found = child(presence, tag)
    return child(muc, tag) if found is None else found


def fulfilled(room: RoomState, sender: JID, wish: Wish, answer: Found | None) -> Wish | Reading:
    """The wish with the history that it asks for by an id, or what has to be read in the archive for it."""
    if wish.asked is None:
        return wish
    if not room.archive.is_kept:
        return wish._replace(missed=by_id.remembered(room, sender, wish.asked))
    known = by_id.found(room, sender, wish.asked, answer) if answer is not None else None
    return by_id.read(room, sender, wish.asked) if known is None else wish._replace(missed=known)
