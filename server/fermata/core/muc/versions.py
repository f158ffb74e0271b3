"""The numbers of a room's changes, as sessions that ask for them are told them (XEP-0311, XEP-0436).

Nobody pays for them where nobody asks. Where somebody does, a stanza to all is one more view of it: it is made once for
those who get the same numbers. What is told is more than a number: it says what its reader could see then, and is
signed, so that nobody learns by a number that he was not given who was in the room before him.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from enum import IntFlag
from functools import lru_cache
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from .changelog import Changelog, Watch, digest_of
from .effects import Effects
from .occupants import Occupant
from .state import RoomState

#: What may be seen: presences with and without real JIDs.
REVEALING: Final = "r"
PLAIN: Final = "p"
_MIXED: Final = "m"  # some of them so and some so, which is of no use any more

_TOKEN: Final = re.compile(r"([0-9]{1,15})[A-Zmrp][A-Za-z0-9_-]{8}")
_SIGNATURE_BYTES: Final = 6
_SIGNED: Final = 10_000  # tokens at hand: when all come back, all are told the same ones
_END: Final = "</x></presence>"


class Marks(IntFlag):
    """Where a session is told numbers."""

    SESSION = 1  #: in `<presence-session/>`, with presences and with messages to all (XEP-0311)
    PRESENCE = 2  #: in `<version/>`, with presences (XEP-0436)
    AFFILIATIONS = 4  #: in `<mav/>`, with affiliations (XEP-0463)


# -- numbers as they are told


def token(room: RoomState, log: Changelog, view: str, seq: int) -> str:
    """A number as it is told to somebody who has seen everything up to it, in that view: one letter."""
    return _signed(room.secret, log.epoch, f"{seq}{view}")


@lru_cache(_SIGNED)
def _signed(secret: bytes, epoch: str, said: str) -> str:
    signature = hmac.digest(secret, f"version {epoch} {said}".encode(), "sha256")[:_SIGNATURE_BYTES]
    return said + urlsafe_b64encode(signature).decode("ascii")


def number_of(room: RoomState, log: Changelog, text: str, view: str) -> int | None:
    """The number that was told by a token; None if it was not told here, in this epoch, in that view."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        return None
    seq = int(match[1])
    return seq if hmac.compare_digest(token(room, log, view, seq), text) else None


def view_of(room: RoomState, occupant: Occupant) -> str:
    """What an occupant may see of the others."""
    return REVEALING if room.config.nonanonymous or occupant.role == "moderator" else PLAIN


def follow_rights(room: RoomState, effects: Effects) -> None:
    """Somebody's rights may have changed, before anybody was told anything: what he was told before is void then."""
    log = room.changelog
    if log is None:
        return
    for session, watch in list(log.watches.items()):
        occupant = room.occupants.at(session)
        if occupant is not None and watch.view not in (_MIXED, view_of(room, occupant)):
            log.watch(effects, session, watch._replace(view=_MIXED))


# -- stanzas that tell them


def marked(room: RoomState, log: Changelog, payload: Payload, watch: Watch, seq: int, place: str = "") -> Payload:
    """A presence or message as it is told to who is told numbers so.

    `place` is the stanza-id of the last message that went out before it, or its own.
    """
    if watch.marks & Marks.PRESENCE and payload.kind == "presence" and payload.rest.endswith(_END):
        version = f"{log.epoch}.{token(room, log, watch.view, seq)}"
        payload = _inside_x(payload, f"<version xmlns='{ns.PRESENCE_VERSIONING}' ver='{version}'/>")
    if watch.marks & Marks.SESSION:
        payload = payload.with_child(session_mark(room, log, watch, seq, place))
    return payload


def session_mark(room: RoomState, log: Changelog, watch: Watch, seq: int, place: str) -> str:
    """The mark of XEP-0311: a number, and the last message."""
    number = token(room, log, watch.view, seq)
    id = f"{number}.{place}" if place else number
    return f"<presence-session xmlns='{ns.PRESENCE_SESSION}' session='{log.epoch}' id='{id}'/>"


def _inside_x(presence: Payload, xml: str) -> Payload:
    rest = presence.rest[: -len(_END)] + xml + _END
    return Payload("presence", rest, presence.sender, presence.type)


def spread(room: RoomState, effects: Effects, payload: Payload, to: Sequence[JID]) -> None:
    """Sends one stanza to each of these, with the number of the last change to those who are told it."""
    log = room.changelog
    if log is None or not log.watches:
        effects.send(payload, to)
        return
    plain, watching = log.split(tuple(to))
    effects.send(payload, plain)
    for watch, sessions in watching.items():
        place = payload.archive_id or room.history.newest_id
        effects.send(marked(room, log, payload, watch, log.seq, place), sessions)


def marked_for(room: RoomState, session: JID, payloads: list[Payload]) -> list[Payload]:
    """These stanzas as they are told to one session."""
    log = room.changelog
    watch = log.watches.get(session) if log is not None else None
    if log is None or watch is None:
        return payloads
    return [marked(room, log, payload, watch, log.seq, room.history.newest_id) for payload in payloads]


# -- changes


def note(room: RoomState, effects: Effects, occupant: Occupant) -> None:
    """Others are about to be told the presence of an occupant as it is now."""
    log = _used(room, effects)
    if log is not None:
        log.record(effects, occupant.nick, digest_of(occupant.revealing), occupant.affiliation, occupant.id_xml)


def note_gone(room: RoomState, effects: Effects, nick: str, affiliation: str, id_xml: str) -> None:
    """Others are about to be told that nobody has that nickname any more."""
    log = _used(room, effects)
    if log is not None:
        log.record(effects, nick, 0, affiliation, id_xml)


def _used(room: RoomState, effects: Effects) -> Changelog | None:
    log = room.changelog
    if log is not None and log.is_unused:
        log.erase(effects)
        room.changelog = log = None
    return log


def opened(room: RoomState, effects: Effects) -> Changelog:
    """The changelog of the room, begun if there is none, and made to agree with who is in the room.

    What was lost without a word, as with the process, is a change like any other.
    """
    log = room.changelog
    if log is None:
        log = room.changelog = Changelog(room.number, room.new_id())
        log.save_head(effects)
    shown = {one.nick: one for one in room.occupants if one.role in room.config.presencebroadcast}
    for nick in [nick for nick in log.present if nick not in shown]:
        last = log.present[nick]
        log.record(effects, nick, 0, last.affiliation, last.id_xml)
    for nick, occupant in shown.items():
        known = log.present.get(nick)
        if known is None or (not log.agrees and known.digest != digest_of(occupant.revealing)):
            log.record(effects, nick, digest_of(occupant.revealing), occupant.affiliation, occupant.id_xml)
    log.agrees = True
    return log
