"""What a room tells to somebody who enters: all of it, or what he has not seen (XEP-0045 §7.1, XEP-0311, XEP-0436)."""

from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from . import absent, affiliation_versions, missed
from .appearance import compose
from .changelog import Changelog, Watch
from .effects import Effects, Flood
from .occupants import Occupant
from .presence import gone
from .state import RoomState
from .versions import REVEALING, Marks, marked, number_of, opened, session_mark, token, view_of
from .wishes import Wish

_REJOINED: Final = f"<rejoined xmlns='{ns.REJOIN}'/>"
_TRUNCATED: Final = f"<presence-session xmlns='{ns.PRESENCE_SESSION}' type='truncated'/>"


def welcome(
    room: RoomState,
    effects: Effects,
    occupant: Occupant,
    session: JID,
    wish: Wish,
    codes: tuple[int, ...] = (),
    id: str = "",
) -> None:
    """Tells a session what is in the room, in the order of §7.1: others, itself, history, subject."""
    config = room.config
    codes = (110, *([100] if config.nonanonymous else []), *([170] if config.enablelogging else []), *codes)
    if wish.marks:
        told = _Reader(room, effects, occupant, session, wish).told(codes, id)
    else:
        if room.changelog is not None:
            room.changelog.unwatch(effects, session)
        told = [compose(gone(occupant, session, (333,)), True, (110, 333))] if wish.is_back else []
        told += roster(room, occupant)
        told.append(_itself(compose(occupant.notice(), True, codes, id), wish))
        told += _by_id(room, wish) if wish.missed else room.history.within(wish.limits, session)
        told.append(room.subject.message)
    effects.sends.append(Flood(told, session))


def roster(room: RoomState, occupant: Occupant) -> list[Payload]:
    """The presences of all others, as this occupant may see them."""
    shown = room.config.presencebroadcast
    if room.config.nonanonymous or occupant.role == "moderator":
        return [other.revealing for other in room.occupants if other is not occupant and other.role in shown]
    return [other.plain for other in room.occupants if other is not occupant and other.role in shown]


def _itself(presence: Payload, wish: Wish) -> Payload:
    return presence.with_child(_REJOINED) if wish.is_back else presence


def _by_id(room: RoomState, wish: Wish) -> list[Payload]:
    found = wish.missed
    if found is None:
        return []
    return found.messages if found.is_all else [missed.truncated(room, found), *found.messages]


class _Reader:
    """A session that enters and is told numbers.

    What others see of each occupant comes in the order in which it changed, each with the number of that change: who is
    cut off in the middle has seen all up to the last one.
    """

    def __init__(self, room: RoomState, effects: Effects, occupant: Occupant, session: JID, wish: Wish) -> None:
        self._room, self._occupant, self._session, self._wish = room, occupant, session, wish
        self._log: Changelog = opened(room, effects)
        self._lists = affiliation_versions.lists_of(room, session) if wish.marks & Marks.AFFILIATIONS else 0
        marks = wish.marks if self._lists else wish.marks & ~Marks.AFFILIATIONS
        self._watch = Watch(int(marks), view_of(room, occupant), self._lists)
        place = room.archive.seq_of(wish.place) if wish.place else None
        self._place, self._seen = ("", 0) if place is None else (wish.place, place)
        if marks:
            self._log.watch(effects, session, self._watch)
        else:
            self._log.unwatch(effects, session)

    def told(self, codes: tuple[int, ...], id: str) -> list[Payload]:
        """All that it is told."""
        told = self._affiliations()
        told += self._others()
        inside = ""
        if self._lists:
            version = affiliation_versions.version(self._room, self._log, self._lists)
            inside = f"<mav xmlns='{ns.MUC_AFFILIATION_VERSIONS}' until='{version}'/>"
        own = compose(self._occupant.notice()._replace(after=inside), True, codes, id)
        told.append(self._marked(_itself(own, self._wish), self._log.seq, self._place))
        told += self._history()
        told.append(self._marked(self._room.subject.message, self._log.seq, self._room.history.newest_id))
        return told

    def _marked(self, payload: Payload, seq: int, place: str) -> Payload:
        return marked(self._room, self._log, payload, self._watch, seq, place)

    # -- lists

    def _affiliations(self) -> list[Payload]:
        if self._lists:
            return affiliation_versions.told(self._room, self._log, self._lists, self._wish.affiliations)
        return [affiliation_versions.refused(self._room)] if self._wish.marks & Marks.AFFILIATIONS else []

    # -- presences

    def _others(self) -> list[Payload]:
        room, log = self._room, self._log
        seq = number_of(room, log, self._wish.number, self._watch.view) if self._wish.epoch == log.epoch else None
        changes = log.since(seq) if seq is not None else None
        # Whoever asks for less must not get more.
        is_less = changes is not None and len(changes) <= len(room.occupants)
        if changes is None or not is_less:
            return [*self._reset(), *self._absent(), *self._presences(list(log.present))]
        return self._presences([nick for nick, _ in changes])

    def _absent(self) -> list[Payload]:
        members = absent.members(self._room) if self._watch.marks & Marks.PRESENCE else []
        return [self._marked(member, 0, self._place) for member in members]

    def _reset(self) -> list[Payload]:
        """Says that whatever the session knows of the room is void; the number is that of who has seen nothing."""
        room, told = self._room, []
        if self._wish.is_back:
            told.append(compose(gone(self._occupant, self._session), True, (110, 333)))
        if self._wish.resumes:
            x = ""
            if self._watch.marks & Marks.PRESENCE:
                version = f"{self._log.epoch}.{token(room, self._log, self._watch.view, 0)}"
                x = f"<x xmlns='{ns.MUC_USER}'><reset xmlns='{ns.PRESENCE_VERSIONING}' ver='{version}'/></x>"
            rest = f" from='{room.jid.attribute}' type='unavailable'>{x}</presence>"
            told.append(Payload("presence", rest, room.jid, "unavailable"))
        if self._watch.marks & Marks.SESSION:
            told = [
                presence.with_child(session_mark(room, self._log, self._watch, 0, self._place)) for presence in told
            ]
        return told

    def _presences(self, nicks: list[str]) -> list[Payload]:
        """What is to be seen under these nicknames, each with its number; not what the session itself is."""
        told, reveal = [], self._watch.view == REVEALING
        for nick in nicks:
            if nick == self._occupant.nick:
                continue
            change = self._log.present.get(nick)
            other = self._room.occupants.named(nick) if change is not None else None
            if change is not None and other is not None:
                payload = other.revealing if reveal else other.plain
            else:
                change = self._log.gone[nick]
                jid = self._room.jid.with_resource(nick)
                payload = absent.vanished(jid, change.id_xml, change.affiliation)
            told.append(self._marked(payload, change.seq, self._place))
        return told

    # -- messages

    def _history(self) -> list[Payload]:
        room, wish = self._room, self._wish
        if wish.missed is not None:
            messages = _by_id(room, wish)
        elif wish.resumes and wish.marks & Marks.SESSION:
            messages, is_all = room.history.unseen(self._seen, room.archive.seq_of, wish.limits, self._session)
            if not is_all:
                rest = f" from='{room.jid.attribute}' type='groupchat'>{_TRUNCATED}</message>"
                return [Payload("message", rest, room.jid, "groupchat"), *self._numbered(messages)]
        else:
            messages = room.history.within(wish.limits, self._session)
        return self._numbered(messages)

    def _numbered(self, messages: list[Payload]) -> list[Payload]:
        return [self._marked(message, self._log.seq, message.archive_id) for message in messages]
