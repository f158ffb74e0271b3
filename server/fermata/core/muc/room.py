"""A room: the way in for stanzas, and its loading and making (XEP-0045)."""

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Final

from ...xmpp.element import Element
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..archive_answer import Ends
from ..archive_query import Found
from ..records import OccupancySaved, PushSaved
from . import affiliation_versions, come_back, enter, exit, messages, push, stanzas
from . import archive as archives
from .changelog import Changelog, Kept
from .config import Config
from .effects import Effects
from .occupants import Occupant, Occupants, Session
from .push_registrations import Registrations
from .ranks import Affiliation
from .state import Archive, RoomState
from .subject import Subject
from .vcard import VCard

# A new room that its owner does not configure opens by itself after this time, as if he had asked for the defaults.
LOCK_SECONDS: Final = 600.0

_Take = Callable[[RoomState, JID, Element, float], Effects]


class Room:
    """One room.

    Each method takes the real full JID of a sender that was verified, its stanza, and the time; it returns what is to
    be done, or raises the StanzaError with which the stanza is to be answered. A step that raises changes nothing.
    """

    def __init__(
        self,
        number: int,
        jid: JID,
        config: Config,
        secret: bytes,
        archive: Archive,
        new_id: Callable[[], str],
        *,
        affiliations: Mapping[JID, Affiliation] | None = None,
        subject: tuple[str, str, float] = ("", "", 0.0),
        locked_until: float = 0.0,
        vcard: str = "",
        history: Iterable[tuple[str, float, int, str]] = (),
        said: Iterable[tuple[JID, str, float, int, str]] = (),
        occupancies: Iterable[OccupancySaved] = (),
        pushes: Iterable[PushSaved] = (),
        most_occupants: float = inf,
        changelog: Kept | None = None,
        cheap_rejoin: bool = True,
    ) -> None:
        """A room as it was kept.

        `new_id` returns an id for a stanza that the room makes. `history` are messages of the archive, oldest first:
        stanza-id, time, verdict of the rule function, XML; `said` are more of them with their real authors, of which
        those from other servers may come again. `occupancies` are who is in it; `pushes` who has registered for push;
        `most_occupants` is what no owner may exceed. `changelog` is what changed when; without `cheap_rejoin` nobody is
        told.
        """
        state = RoomState(number, jid, secret, config, archive, new_id)
        self.state: Final = state
        for bare, affiliation in (affiliations or {}).items():
            state.affiliate(bare, affiliation)
        state.subject = Subject.of(jid, secret, *subject)
        state.vcard = VCard.parse(vcard)
        state.locked_until, state.most_occupants = locked_until, most_occupants
        state.cheap_rejoin = cheap_rejoin
        state.pushes = Registrations(pushes)
        newest = list(history)
        told: dict[str, Payload] = {}
        for kept in newest:
            message = messages.archived(jid, *kept)
            if message is not None:
                told[message.archive_id] = message
                state.history.append(message)
        state.history.is_whole = len(newest) < config.maxhistoryfetch
        for author, id, stamp, keep, xml in said:
            if state.said.is_remembered(author):
                state.said.note(author, told.get(id) or messages.as_sent(jid, id, stamp, keep, xml))
        for row in occupancies:
            self._restore(row)
        for occupant in state.occupants:
            if len(occupant.sessions) > 1:
                occupant.sessions = dict(sorted(occupant.sessions.items(), key=lambda item: item[1].turn))
        state.changelog = Changelog.load(number, changelog or {})
        if state.changelog is not None:
            state.changelog.watched_by(state.occupants.everyone if cheap_rejoin else ())

    def _restore(self, row: OccupancySaved) -> None:
        state, session_jid = self.state, JID.parse(row.jid)
        occupant = state.occupants.named(row.nick)
        if occupant is None:
            nick_jid, bare = state.jid.with_resource(row.nick), session_jid.bare
            occupant = Occupant(nick_jid, bare, state.affiliation_of(bare), row.role, state.secret)
        presence = row.presence.removeprefix("<presence").removesuffix("</presence>")
        session = Session(session_jid, presence, row.entered, row.wants_invite)
        state.occupants.enter(occupant, session)
        session.turn = row.turn

    @classmethod
    def create(
        cls,
        number: int,
        jid: JID,
        config: Config,
        secret: bytes,
        archive: Archive,
        new_id: Callable[[], str],
        sender: JID,
        presence: Element,
        now: float,
        *,
        instant: bool = False,
        most_occupants: float = inf,
        cheap_rejoin: bool = True,
    ) -> "tuple[Room, Effects]":
        """A new room, made by a session that enters it and so owns it (§10.1).

        It is locked until it was configured, unless it is `instant`. Raises StanzaError, and then there is no room:
        `item-not-found` for a presence that is not there to enter a room.
        """
        room = cls(
            number,
            jid,
            config,
            secret,
            archive,
            new_id,
            most_occupants=most_occupants,
            cheap_rejoin=cheap_rejoin,
        )
        room.state.locked_until = 0.0 if instant else now + LOCK_SECONDS
        return room, room._step(enter.make, sender, presence, now)

    @property
    def jid(self) -> JID:
        """The room's address."""
        return self.state.jid

    @property
    def occupants(self) -> Occupants:
        """Who is in it."""
        return self.state.occupants

    def presence(self, sender: JID, stanza: Element, now: float) -> Effects:
        """A presence to the room or to any occupant JID of it."""
        return self._step(stanzas.take_presence, sender, stanza, now)

    def message(self, sender: JID, stanza: Element, now: float) -> Effects:
        """A message to the room or to an occupant JID."""
        return self._step(stanzas.take_message, sender, stanza, now)

    def iq(self, sender: JID, stanza: Element, now: float) -> Effects:
        """A request to the room or to an occupant JID, or the answer to one."""
        return self._step(stanzas.take_iq, sender, stanza, now)

    def recalled(self, sender: JID, stanza: Element, now: float, archived: str) -> Effects:
        """A stanza again, with the archived message that its effects had to `recall`: XML, empty if there is none."""

        def take(state: RoomState, sender: JID, stanza: Element, now: float) -> Effects:
            return stanzas.take_recalled(state, sender, stanza, now, archived)

        return self._step(take, sender, stanza, now)

    def told(self, sender: JID, stanza: Element, now: float, answer: Found | Ends | None) -> Effects:
        """A request again, with what the archive has to say of what was to be read for it."""

        def take(state: RoomState, sender: JID, stanza: Element, now: float) -> Effects:
            if stanza.tag == "presence":
                return stanzas.take_presence(state, sender, stanza, now, answer if isinstance(answer, Found) else None)
            effects = Effects()
            archives.conclude(state, effects, sender, stanza, answer)
            return effects

        return self._step(take, sender, stanza, now)

    def give_up(self, sender: JID) -> None:
        """What was to be read for a session cannot be."""
        self.state.awaited.pop(sender, None)

    def _step(self, take: _Take, sender: JID, stanza: Element, now: float) -> Effects:
        log = self.state.changelog
        if log is not None:
            log.begin_step(now)
        try:
            effects = take(self.state, sender, stanza, now)
        except StanzaError as error:
            # Even where an occupant was addressed it is the room that refuses (XEP-0045 §7.2.5, XEP-0410 §3.3).
            error.by = self.state.jid
            raise
        if log is not None and log.unannounced and not effects.destroyed:
            affiliation_versions.announce(self.state, effects)
        return effects

    def undeliverable(self, sender: JID, stanza: Element, now: float, own: bool = False) -> Effects:
        """An error came back for a stanza of the room, from a session; `own` if our side made it, not the other one."""
        return exit.undeliverable(self.state, sender, stanza, own, now)

    def next_deadline(self) -> float | None:
        """When `tick` is to be called next, if at all."""
        return self.state.locked_until or None

    def tick(self, now: float) -> Effects:
        """The time has come: a room that its owner did not configure opens, and nobody waits for ever."""
        effects = Effects()
        if 0 < self.state.locked_until <= now:
            self.state.locked_until = 0.0
            self.state.save(effects)
        push.give_up(self.state, effects, now)
        return effects

    def shut_down(self, now: float, reason: str = "") -> Effects:
        """The service stops without keeping its occupants, who are told why (§11.2) and will be owed an invitation."""
        return exit.shut_down(self.state, now, reason)

    def call_back(self, owed: JID, since: float) -> Effects:
        """Invites a session that such a stop has put out, now that the room is back, `since` then."""
        return come_back.call(self.state, owed, since)

    def wake(self, registered: PushSaved, now: float) -> Effects:
        """Tells somebody who has registered for push, and is not in the room, that it is back (XEP-0357)."""
        return push.wake(self.state, registered, now)
