"""The presence that a stand-in has in its room: that of its most available client, or of nobody (XEP-0319)."""

from collections.abc import Iterable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child, serialise
from .acts import Act, ToRoom
from .stanzas import idle
from .state import COALESCE_SECONDS, StandInState

_RANKS: Final = {"chat": 0, "": 1, "dnd": 2, "away": 3, "xa": 4}
# What is about one client, or about entering, is not said in the name of all.
_OWN: Final = ("priority", "{%s}" % ns.CAPS, "{%s}" % ns.MUC, "{" + ns.FERMATA)


def children(s: StandInState) -> list[Element]:
    """What its presence contains now, beside what it says on entering."""
    presences: Iterable[Element] = (
        *(seat.presence for seat in s.attached.values()),
        *s.beside.values(),
        *(newcomer.presence for newcomer in s.waiting),
    )
    best = min(presences, key=_rank, default=None)
    if best is None:
        return [E("show", None, "xa"), *([idle(s.away_since)] if s.away_since else []), *s.added, *s.extra]
    return [*(item for item in best if not item.tag.startswith(_OWN)), *s.extra]


def stated(s: StandInState) -> list[Element]:
    """The same, which the room is about to be told."""
    found = children(s)
    s.stated = tuple(serialise(item) for item in found)
    return found


def changes(s: StandInState, now: float) -> None:
    """It may be another one from now on; it is told after a while, so that many changes are one."""
    s.presence_at = min(s.presence_at, now + COALESCE_SECONDS)


def tell(s: StandInState) -> list[Act]:
    """Tells the room, if it is another one."""
    before, found = s.stated, stated(s)
    if s.stated == before:
        return []
    return [ToRoom(E("presence", {"from": s.me, "to": s.occupant}, *found))]


def _rank(presence: Element) -> int:
    show = child(presence, "show")
    return _RANKS.get("" if show is None else (show.text or "").strip(), 1)
