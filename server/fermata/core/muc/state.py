"""What a room is at one moment: all that its rules read and change."""

from collections import deque
from collections.abc import Callable, Collection
from math import inf
from typing import Final, Protocol

from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.nickname import nickname_key
from ...xmpp.payload import Payload
from ..breaks import Breaks
from ..records import AffiliationSaved, Journalled, OccupancyEnded, OccupancySaved, RoomSaved
from .changelog import Changelog
from .config import Config
from .effects import Effects
from .history import History
from .occupants import Occupant, Occupants, Session
from .push_registrations import Registrations
from .queries import Queries
from .ranks import NONE, Affiliation, default_role
from .said import Said
from .subject import Subject
from .vcard import VCard

_MOST_AFFILIATIONS: Final = 10_000


class Archive(Protocol):
    """Places in a room's archive, and the stanza-ids that stand for them.

    `is_kept` says whether messages are really there to be found later; they have stanza-ids all the same.
    """

    is_kept: bool

    def new(self) -> tuple[int, str]:
        """The place of the next message, and its stanza-id."""

    def seq_of(self, id: str) -> int | None:
        """The place that a stanza-id stands for; None if it is none of this room's."""

    def id_of(self, seq: int) -> str:
        """The stanza-id that stands for a place."""


class RoomState:
    """The state of a room, and the records that say how it changed.

    `new_id` returns an id for a stanza that the room makes; `locked_until` is when the room opens by itself (0: it is
    open); `most_occupants` is the limit that holds in all rooms; `applicants` are who asked to become members and had
    no answer yet, as far as it is known since the room was loaded; `invited` are the sessions that were called back
    after a stop and have not answered (see `come_back`).
    """

    __slots__ = (
        "affiliations",
        "applicants",
        "archive",
        "awaited",
        "breaks",
        "calls_back",
        "changelog",
        "cheap_rejoin",
        "config",
        "history",
        "invited",
        "jid",
        "locked_until",
        "most_occupants",
        "new_id",
        "number",
        "occupants",
        "pushes",
        "queries",
        "reserved",
        "said",
        "secret",
        "subject",
        "vcard",
    )

    def __init__(
        self,
        number: int,
        jid: JID,
        secret: bytes,
        config: Config,
        archive: Archive,
        new_id: Callable[[], str],
    ) -> None:
        self.number, self.jid, self.secret, self.config = number, jid, secret, config
        self.archive, self.new_id = archive, new_id
        self.locked_until = 0.0
        self.most_occupants = inf
        self.cheap_rejoin = True
        self.calls_back = True
        self.changelog: Changelog | None = None
        self.awaited: dict[JID, deque[Payload]] = {}
        self.subject = Subject.of(jid, secret)
        self.vcard = VCard()
        self.affiliations: dict[str, Affiliation] = {}
        self.reserved: dict[str, JID] = {}
        self.applicants: set[JID] = set()
        self.invited: set[JID] = set()
        self.occupants = Occupants()
        self.history = History(jid, config.maxhistoryfetch)
        self.queries = Queries()
        self.pushes = Registrations()
        self.breaks = Breaks()
        self.said = Said(jid)

    def affiliation_of(self, bare: JID) -> str:
        """The affiliation of a bare JID; a banned domain bans everybody there who has none of his own (§9.2)."""
        found = self.affiliations.get(bare)
        if found is None:
            found = self.affiliations.get(bare.domain, NONE)
            return "outcast" if found.affiliation == "outcast" else "none"
        return found.affiliation

    def check_room_for(self, people: Collection[JID], by_admins: bool = False) -> None:
        """Raises StanzaError `resource-constraint` if there were too many affiliations with those of these bare JIDs.

        Whatever others do, there is always room for an admin's ban.
        """
        most = 2 * _MOST_AFFILIATIONS if by_admins else _MOST_AFFILIATIONS
        added = sum(bare not in self.affiliations for bare in people)
        if added and len(self.affiliations) + added > most:
            raise StanzaError("resource-constraint", "this room has too many members")

    def affiliate(self, bare: JID, affiliation: Affiliation) -> None:
        """Sets the affiliation of a bare JID, and reserves its nickname for it."""
        old = self.affiliations.pop(bare, NONE)
        if self.changelog is not None and old.affiliation != affiliation.affiliation:
            nick = affiliation.nick or old.nick
            self.changelog.record_affiliation(bare, old.affiliation, affiliation.affiliation, nick)
        self.applicants.discard(bare)
        if old.nick and self.reserved.get(nickname_key(old.nick)) == bare:
            del self.reserved[nickname_key(old.nick)]
        if affiliation.affiliation != "none":
            self.affiliations[bare] = affiliation
            if affiliation.nick:
                self.reserved[nickname_key(affiliation.nick)] = bare

    def entitled(self) -> tuple[JID, ...]:
        """The sessions that may see real JIDs (§7.2.3, §7.2.4)."""
        return self.occupants.everyone if self.config.nonanonymous else self.occupants.moderators

    def entitles(self, sender: JID) -> bool:
        """Whether somebody may see real JIDs, in the room or not: who is not might enter, and then see them."""
        occupant = self.occupants.at(sender)
        role = occupant.role if occupant is not None else default_role(self.affiliation_of(sender.bare), False)
        return self.config.nonanonymous or role == "moderator"

    def unentitled(self) -> tuple[JID, ...]:
        """The sessions that may not."""
        return () if self.config.nonanonymous else self.occupants.others

    def save(self, effects: Effects) -> None:
        """Records configuration, subject and lock as they are now."""
        text, by, stamp = self.subject[:3]
        locked = bool(self.locked_until)
        effects.records.append(RoomSaved(self.number, self.config.json(), text, by, stamp, self.secret, locked))

    def save_affiliation(self, effects: Effects, bare: JID) -> None:
        """Records the affiliation of a bare JID as it is now."""
        effects.records.append(AffiliationSaved(self.number, bare, *self.affiliations.get(bare, NONE)))
        if self.changelog is not None:
            self.changelog.save_affiliation(effects, bare)

    def save_session(self, effects: Effects, occupant: Occupant, session: Session) -> None:
        """Records a session as it is now."""
        presence = f"<presence{session.presence}</presence>"
        effects.records.append(
            OccupancySaved(
                self.number,
                session.jid,
                occupant.nick,
                occupant.role,
                presence,
                session.entered,
                session.wants_invite,
                session.turn,
            )
        )

    def end_session(self, effects: Effects, session: JID) -> None:
        """Records that a session is in the room no more."""
        effects.records.append(OccupancyEnded(self.number, session))
        if self.changelog is not None:
            self.changelog.unwatch(effects, session)

    def journal(self, effects: Effects, now: float, session: JID, nick: str, event: str, cause: str) -> None:
        """Writes one line of the room's story: `event` is enter, exit, nick or role, `cause` says why in a word."""
        effects.records.append(Journalled(self.number, now, session, nick, event, cause))
