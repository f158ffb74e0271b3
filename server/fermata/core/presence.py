"""What the presence that a session sends means, and to whom it goes (RFC 6121 §4)."""

import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from ..xmpp import namespaces as ns
from ..xmpp.element import Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError
from ..xmpp.stanza import PRESENCE_TYPES, SUBSCRIPTION_TYPES, condition_of
from .roster import Roster

_MOST_DIRECTED: Final = 5_000  # all of them are told when a session ends
_PRIORITY: Final = re.compile("[+-]?[0-9]{1,3}")
_MUC: Final = "{%s}x" % ns.MUC
_MUC_USER: Final = "{%s}x" % ns.MUC_USER
_STATUS: Final = "{%s}status" % ns.MUC_USER
_ITEM: Final = "{%s}item" % ns.MUC_USER
# Errors that say nothing about whether the addressee still takes us for available.
_PASSING: Final = frozenset({"remote-server-not-found", "remote-server-timeout"})


class Meaning(Enum):
    """What a client does by sending a presence."""

    INITIAL = "it becomes available"
    UPDATE = "it is available, and says more about it"
    UNAVAILABLE = "it is not available any more"
    SUBSCRIPTION = "it asks for, grants or ends a subscription"
    DIRECTED = "it tells one address only"


def meaning_of(presence: Element, is_available: bool) -> Meaning:
    """What a client that is or is not available means by a presence. Raises StanzaError `bad-request` (§4.7.1)."""
    type = presence.get("type", "")
    if type not in PRESENCE_TYPES:
        raise StanzaError("bad-request", "there is no such type of presence")
    if presence.get("to") is not None:
        return Meaning.SUBSCRIPTION if type in SUBSCRIPTION_TYPES else Meaning.DIRECTED
    if type == "unavailable":
        return Meaning.UNAVAILABLE
    if type:
        raise StanzaError("bad-request", "such a presence is for somebody")
    return Meaning.UPDATE if is_available else Meaning.INITIAL


def priority_of(presence: Element) -> int:
    """The priority in an available presence, -128 to 127 (§4.7.2.3). Raises StanzaError `bad-request`."""
    element = child(presence, "priority")
    if element is None:
        return 0
    text = (element.text or "").strip()
    if _PRIORITY.fullmatch(text) is None or not -128 <= int(text) <= 127:
        raise StanzaError("bad-request", "a priority is a whole number from -128 to 127")
    return int(text)


class DirectedPresence:
    """To whom a session has sent presence directly (§4.6): they get unavailable presence when it ends.

    A room is remembered by its bare JID, with the occupant JID that the session has there *now*: rooms assign other
    nicknames and change them, and an unavailable presence sent to a former one would leave a ghost behind.
    """

    __slots__ = ("changed", "contacts", "rooms")

    def __init__(self) -> None:
        #: called with a key and what it has now: a room and an occupant JID, a contact and itself, or None
        self.changed: Callable[[JID, JID | None], None] = _unnoted
        self.rooms: dict[JID, JID] = {}  #: bare JID → occupant JID
        self.contacts: dict[JID, None] = {}  #: all others, as addressed

    def __len__(self) -> int:
        return len(self.rooms) + len(self.contacts)

    def includes(self, jid: JID) -> bool:
        """Whether an address has got presence, as itself, by its bare JID or as part of a room."""
        return jid in self.contacts or jid.bare in self.contacts or jid.bare in self.rooms

    def sent(self, to: JID, presence: Element) -> None:
        """The session sends a directed presence. Raises StanzaError `resource-constraint` for too many addressees."""
        type = presence.get("type", "")
        bare = to.bare
        if type == "unavailable":
            self._drop_contact(to)
            self.left(bare)
        elif not type and bare not in self.rooms:
            if len(self) >= _MOST_DIRECTED and to not in self.contacts:
                raise StanzaError("resource-constraint", "too many have got your presence directly")
            if child(presence, _MUC) is not None:
                self.rooms[bare] = to
                self.changed(bare, to)
            elif to not in self.contacts:
                self.contacts[to] = None
                self.changed(to, to)

    def heard(self, sender: JID, presence: Element) -> None:
        """The session gets a presence: a room may say under which nickname the session is there, or that it is not."""
        type = presence.get("type", "")
        if type == "error":
            self._refused(sender, presence)
            return
        x = child(presence, _MUC_USER)
        if x is None:
            return
        codes = {status.get("code") for status in x if status.tag == _STATUS}
        if not type and "110" in codes:
            self.entered(sender)
        elif type == "unavailable" and ("110" in codes or self.rooms.get(sender.bare) == sender):
            if "303" in codes:
                self._renamed(sender, x)
            else:
                self.left(sender.bare)

    def entered(self, occupant: JID) -> None:
        """A room has the session under this occupant JID."""
        room = occupant.bare
        if self.rooms.get(room) != occupant:
            self.rooms[room] = occupant
            self.changed(room, occupant)
        # A client that enters without the <x/> of XEP-0045 looked like one that greets a contact.
        for jid in [jid for jid in self.contacts if jid.bare == room]:
            self._drop_contact(jid)

    def left(self, room: JID) -> None:
        """The session is not in that room (bare JID) any more."""
        if self.rooms.pop(room, None) is not None:
            self.changed(room, None)

    def forget(self, keeps_rooms: bool) -> None:
        """All have been told that the session is not available any more, but for the rooms if those are kept."""
        for jid in list(self.contacts):
            self._drop_contact(jid)
        if not keeps_rooms:
            for room in list(self.rooms):
                self.left(room)

    def targets(self) -> list[JID]:
        """To whom unavailable presence goes in the end."""
        return [*self.rooms.values(), *self.contacts]

    def _drop_contact(self, jid: JID) -> None:
        if jid in self.contacts:
            del self.contacts[jid]
            self.changed(jid, None)

    def _renamed(self, occupant: JID, x: Element) -> None:
        item = child(x, _ITEM)
        nick = None if item is None else item.get("nick")
        try:
            if nick:
                self.entered(occupant.with_resource(nick))
        except JIDError:
            pass  # the self-presence under the new nickname, which follows, says it better

    def _refused(self, sender: JID, presence: Element) -> None:
        """An error from another occupant JID than ours is about a change of nickname: we are still there."""
        error = child(presence, "error")
        if condition_of(presence) in _PASSING or (error is not None and error.get("type") == "wait"):
            return
        self._drop_contact(sender)
        if not sender.resource or self.rooms.get(sender.bare) == sender:
            self.left(sender.bare)


def _unnoted(key: JID, now: JID | None) -> None:
    """Nobody notes it."""


class Announcement(NamedTuple):
    """What follows when a session's own presence changes (§4.2, §4.4, §4.5).

    The presence also goes to every available session of the account, the one that sent it included; and a session
    that becomes available gets the presence of the others.
    """

    subscribers: Sequence[JID]  #: get the presence
    directed: Sequence[JID] = ()  #: get it too: they had directed presence, and this is the end
    probes: Sequence[JID] = ()  #: get a probe from the session's full JID
    requests: Sequence[str] = ()  #: unanswered subscription requests, as XML, for this session
    takes_spool: bool = False  #: messages that waited (XEP-0160) can be delivered now


def announce(
    before: int | None, now: int | None, roster: Roster, directed: DirectedPresence, keeps_rooms: bool = False
) -> Announcement:
    """What follows when a session's priority is `now` and was `before`; None is unavailable.

    At the end, `directed` forgets those to whom it is told. With `keeps_rooms` rooms are not told: another session of
    the account takes the place.
    """
    subscribers = roster.subscribers
    if now is None:
        targets = [*directed.contacts] if keeps_rooms else directed.targets()
        told = subscribers if before is not None else ()
        # Subscribers get the broadcast anyway.
        rest = [jid for jid in targets if before is None or not roster.state(jid.bare).has_from]
        directed.forget(keeps_rooms)
        return Announcement(told, directed=rest)
    takes_spool = now >= 0 and (before is None or before < 0)
    if before is not None:
        return Announcement(subscribers, takes_spool=takes_spool)
    requests = tuple(roster.requests.values())
    return Announcement(subscribers, probes=roster.subscriptions, requests=requests, takes_spool=takes_spool)


class Visible(Protocol):
    """A session, as far as a probe is concerned."""

    @property
    def priority(self) -> int | None:
        """Of its last presence; None while it is not available."""

    @property
    def directed(self) -> DirectedPresence:
        """To whom it has sent presence directly."""


S = TypeVar("S", bound=Visible)


class ProbeAnswer(NamedTuple, Generic[S]):
    """What answers a probe: the last presence of each of these sessions or, of that type, one from the bare JID."""

    sessions: Sequence[S]
    type: str = ""


def answer_probe(prober: JID, may_see: bool, sessions: Iterable[S]) -> ProbeAnswer[S]:
    """What answers a probe for an account with these sessions (§4.3.2).

    `may_see`: the prober is a subscriber, or the account itself. Others get an answer only from sessions that have sent
    them presence directly, which for the time being is as good as a subscription (§4.6).
    """
    if may_see:
        available = [session for session in sessions if session.priority is not None]
        return ProbeAnswer(available, "" if available else "unavailable")
    open_to_it = [session for session in sessions if session.directed.includes(prober)]
    if open_to_it:
        return ProbeAnswer([session for session in open_to_it if session.priority is not None])
    return ProbeAnswer((), "unsubscribed")
