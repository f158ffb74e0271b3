"""Who is in a room: occupants with their nicknames, and the sessions of each (XEP-0045 §7.2)."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from math import inf
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.jid import JID
from ...xmpp.nickname import nickname_key
from ...xmpp.payload import Payload
from .appearance import Notice, compose

_ID_LENGTH: Final = 32


def occupant_id(secret: bytes, bare: JID) -> str:
    """The occupant-id of a person in the room of that secret (XEP-0421): stable, and of no use in another room."""
    return urlsafe_b64encode(hmac.digest(secret, bare.encode(), "sha256"))[:_ID_LENGTH].decode("ascii")


def occupant_id_xml(secret: bytes, bare: JID) -> str:
    """The `<occupant-id/>` of a person."""
    return f"<occupant-id xmlns='{ns.OCCUPANT_ID}' id='{occupant_id(secret, bare)}'/>"


class Session:
    """One connection of an occupant.

    `presence` is what it last told the room: a `<presence/>` without addresses, from the end of its name on and up to
    its end tag. `former` are the nicknames that it gave up lately, each with the time. `wants_invite`: see
    `core.muc.come_back`. `rejoined` is when it asked last to be let in if it were not (see `core.muc.rejoin`). `turn`
    is higher than that of those sessions of the occupant that spoke before it.
    """

    __slots__ = ("entered", "former", "jid", "presence", "rejoined", "turn", "wants_invite")

    def __init__(self, jid: JID, presence: str, entered: float, wants_invite: bool = False) -> None:
        self.jid, self.presence, self.entered, self.wants_invite = jid, presence, entered, wants_invite
        self.former: tuple[tuple[str, float], ...] = ()
        self.rejoined = -inf
        self.turn = 0


class Occupant:
    """A person under one nickname: the bare JID, and the full JIDs with which it is here.

    `plain` and `revealing` are its presence for those who may not and those who may see real JIDs. Of one that was
    restored they are made when somebody is to see them: after a start there can be very many whom nobody looks at.
    """

    __slots__ = ("affiliation", "bare", "id_xml", "jid", "plain", "revealing", "role", "sessions")
    plain: Payload
    revealing: Payload

    def __init__(self, jid: JID, bare: JID, affiliation: str, role: str, secret: bytes) -> None:
        self.jid, self.bare, self.affiliation, self.role = jid, bare, affiliation, role
        self.id_xml = occupant_id_xml(secret, bare)
        self.sessions: dict[JID, Session] = {}

    def __getattr__(self, name: str) -> Payload:
        """`plain` or `revealing`, which have not been made yet."""
        if name not in ("plain", "revealing"):
            raise AttributeError(f"an occupant has no {name}")
        self.refresh()
        return self.plain if name == "plain" else self.revealing

    def notice(self, inside: str = "") -> Notice:
        """What the room says about it as it is now; `inside` stands within `<item/>`."""
        shown = self.shown
        return Notice(
            self.jid, self.id_xml, shown.jid, self.affiliation, self.role, presence=shown.presence, inside=inside
        )

    def refresh(self) -> None:
        """Makes the presences anew that others see of it; to be called after whatever changes them."""
        notice = self.notice()
        self.plain, self.revealing = compose(notice, False), compose(notice, True)

    @property
    def nick(self) -> str:
        """The nickname."""
        return self.jid.resource

    def speaks(self, session: Session) -> None:
        """That session is the one whose presence the others see, from now on."""
        self.sessions.pop(session.jid, None)
        if self.sessions:
            session.turn = self.shown.turn + 1
        self.sessions[session.jid] = session

    @property
    def shown(self) -> Session:
        """The session whose presence the others see: the one that spoke last."""
        return next(reversed(self.sessions.values()))


def _without(session: JID, sessions: tuple[JID, ...]) -> tuple[JID, ...]:
    return tuple([other for other in sessions if other != session])


class Occupants:
    """The occupants by nickname and by session, in the order in which they entered.

    `everyone`, `moderators` and `others` are the full JIDs of all sessions, of moderators' and of the rest's. They are
    tuples made anew at each change, so that whoever holds one keeps what it was.
    """

    def __init__(self) -> None:
        self._by_nick: dict[str, Occupant] = {}
        self._by_key: dict[str, Occupant] = {}
        self._by_session: dict[JID, Occupant] = {}
        self.everyone: tuple[JID, ...] = ()
        self.moderators: tuple[JID, ...] = ()
        self.others: tuple[JID, ...] = ()

    def __iter__(self) -> Iterator[Occupant]:
        return iter(self._by_nick.values())

    def __len__(self) -> int:
        return len(self._by_nick)

    def at(self, session: JID) -> Occupant | None:
        """The occupant of a session."""
        return self._by_session.get(session)

    def named(self, nick: str) -> Occupant | None:
        """The occupant with exactly that nickname."""
        return self._by_nick.get(nick)

    def like(self, key: str) -> Occupant | None:
        """The occupant with a nickname that people could take for that of this key (RFC 8266)."""
        return self._by_key.get(key)

    def of(self, bare: JID) -> list[Occupant]:
        """The occupants that one account has."""
        return [occupant for occupant in self if occupant.bare == bare]

    def enter(self, occupant: Occupant, session: Session) -> None:
        """Puts one more session of an occupant in; the occupant too if it is new."""
        occupant.speaks(session)
        self._by_session[session.jid] = occupant
        self._by_nick[occupant.nick] = occupant
        self._by_key[nickname_key(occupant.nick)] = occupant
        # Adding to the tuples instead of making them from scratch is what keeps a flood of joins cheap.
        self.everyone += (session.jid,)
        if occupant.role == "moderator":
            self.moderators += (session.jid,)
        else:
            self.others += (session.jid,)

    def exit(self, session: JID) -> None:
        """Takes a session out, and its occupant if that was the last one."""
        occupant = self._by_session.pop(session)
        del occupant.sessions[session]
        if not occupant.sessions:
            self._forget(occupant)
        self.everyone = _without(session, self.everyone)
        if occupant.role == "moderator":
            self.moderators = _without(session, self.moderators)
        else:
            self.others = _without(session, self.others)

    def expel(self, occupant: Occupant) -> list[JID]:
        """Takes an occupant out and returns the sessions that it had."""
        sessions = list(occupant.sessions)
        for session in sessions:
            self.exit(session)
        return sessions

    def rename(self, occupant: Occupant, jid: JID) -> None:
        """Gives an occupant another nickname."""
        self._forget(occupant)
        occupant.jid = jid
        self._by_nick[occupant.nick] = occupant
        self._by_key[nickname_key(occupant.nick)] = occupant

    def _forget(self, occupant: Occupant) -> None:
        del self._by_nick[occupant.nick]
        del self._by_key[nickname_key(occupant.nick)]

    def regroup(self) -> None:
        """Makes the three tuples anew; to be called after a change of role."""
        everyone: list[JID] = []
        moderators: list[JID] = []
        others: list[JID] = []
        for occupant in self:
            everyone += occupant.sessions
            (moderators if occupant.role == "moderator" else others).extend(occupant.sessions)
        self.everyone, self.moderators, self.others = tuple(everyone), tuple(moderators), tuple(others)
