"""A room as its occupant sees it: who is there, the subject; and what has changed when it is told anew."""

from collections.abc import Iterator
from typing import Final

from ...xmpp.element import E, Element
from ...xmpp.jid import JID
from ...xmpp.payload import Payload, payload_of
from ..stored_xml import stanza_from
from .stanzas import REJOINED, is_out, with_code, without_codes

MOST_OCCUPANTS: Final = 10_000  #: a room with more of them is shown without the rest
_OF_ENTERING: Final = frozenset({"201", "210"})  # what is true of one entrance only


class View:
    """Others by nickname, each with the newest presence, in the order in which they came; oneself apart."""

    __slots__ = ("_fresh", "is_known", "others", "own", "subject")

    def __init__(self) -> None:
        self.others: dict[str, Payload] = {}
        self.own: Payload | None = None
        self.subject: Payload | None = None
        self.is_known = False  #: whether it has been told since we started
        self._fresh: dict[str, Payload] | None = None

    # -- being told anew

    def begin(self) -> None:
        """The room has been asked to tell everything: until oneself, what comes is not shown."""
        self._fresh = {}

    @property
    def is_being_told(self) -> bool:
        """Whether that is going on."""
        return self._fresh is not None

    def is_told(self, nick: str) -> bool:
        """Whether the room has told meanwhile that somebody of that nickname is there."""
        return self._fresh is not None and nick in self._fresh

    def end(self, own: Payload) -> list[Payload]:
        """Oneself has come: what those must see who saw what was known before."""
        fresh, before = self._fresh or {}, self.others
        fresh.pop(JID.parse(own.sender).resource, None)
        changes = [presence for nick, presence in fresh.items() if not _is_same(before.get(nick), presence)]
        left = [gone(JID.parse(presence.sender)) for nick, presence in before.items() if nick not in fresh]
        if not _is_same(self.own, own):
            changes.append(own)
        self.others, self.own, self._fresh, self.is_known = fresh, own, None, True
        return [*left, *changes]

    def abandon(self) -> None:
        """The room will not tell: what was known before stands."""
        self._fresh = None

    # -- changes

    def put(self, nick: str, presence: Payload) -> bool:
        """Somebody else is there, or has changed; whether that is to be shown now."""
        target = self.others if self._fresh is None else self._fresh
        before = target.get(nick)
        if before is None and len(target) >= MOST_OCCUPANTS:
            return False
        target[nick] = presence
        return self._fresh is None and not _is_same(before, presence)

    def drop(self, nick: str) -> bool:
        """Somebody else is gone; whether anybody was shown him."""
        if self._fresh is not None:
            self._fresh.pop(nick, None)
        return self.others.pop(nick, None) is not None

    def forget(self) -> None:
        """Nothing of it holds any more."""
        self.others, self.own, self.subject, self.is_known, self._fresh = {}, None, None, False, None

    # -- showing it

    def shown(self, wanted: str, id: str, me: JID, is_back: bool) -> Iterator[Payload]:
        """What somebody sees on entering who wanted this nickname: others, and himself last (XEP-0045 §7.1).

        `id` is that of the presence with which he has entered, if it had any; `is_back`, that he thought he was in.
        """
        yield from self.others.values()
        if self.own is not None:
            is_renamed = JID.parse(self.own.sender).resource != wanted
            yield _as_entered(self.own, is_renamed, id, me, is_back) if is_renamed or id or is_back else self.own


def own_presence(presence: Element) -> Payload:
    """One's own presence without what is true of one entrance only."""
    return payload_of(without_codes(presence, _OF_ENTERING))


def _is_same(one: Payload | None, other: Payload) -> bool:
    return one is not None and one.rest == other.rest


def _as_entered(own: Payload, is_renamed: bool, id: str, me: JID, is_back: bool) -> Payload:
    presence = stanza_from(own.addressed(me))
    if is_renamed:
        presence = with_code(presence, "210")
    if id:
        presence.set("id", id)
    if is_back:
        presence.append(E(REJOINED))
    return payload_of(presence)


def gone(occupant: JID) -> Payload:
    """Somebody else has left."""
    return payload_of(without_codes(is_out(occupant), frozenset({"110"})))
