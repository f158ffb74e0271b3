"""Occupants whose server was out of reach: what they are told once it is back, and when they are given up.

In between they are in the room like anybody else; only that nothing is sent to them, and what they miss is known by
marks (`core.s2s.missed`). Then the room tells it again: its messages from the archive with the stanza-ids that they
have, at most `MOST` of them, and the occupants of whom something was said as they are by now.
"""

from collections import deque
from collections.abc import Collection, Iterable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.delay import delayed
from ...xmpp.element import escape
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..archive_query import Found, Selection
from . import exit
from .appearance import Notice, compose
from .effects import Effects, Reading
from .history import Limits
from .messages import read_up
from .presence import gone, is_shown, tell_self
from .state import RoomState
from .versions import spread

DAY_SECONDS: Final = 86_400.0
VISITORS_SECONDS: Final = DAY_SECONDS  #: so long somebody stays whose server is out of reach
MEMBERS_SECONDS: Final = 14 * DAY_SECONDS  #: and so long if he has an affiliation with the room
MOST: Final = 200  #: so many messages are told again
_RETRACTED: Final = "<retracted "  # what is left of it is no news (XEP-0424 §5)
_GAP: Final = "Your server could not be reached for a while. Earlier messages are missing here; the archive has them."


def read(room: RoomState, domain: JID, first: str) -> Reading | None:
    """What has to be read for those at a domain, who have missed everything since the message with that stanza-id.

    From now on, what is said is kept for them. None if there is nothing to be read.
    """
    place = room.archive.seq_of(first)
    if place is None:
        return None
    room.awaited[domain] = deque(maxlen=MOST + 1)
    return Reading(domain, Selection(MOST + 1, newest=True, after=place - 1))


def catch_up(
    room: RoomState,
    domain: JID,
    sessions: tuple[JID, ...],
    nicks: Iterable[str],
    first: str,
    answer: Found | None,
) -> Effects:
    """Tells sessions at a domain what they have missed; `nicks` are the occupant JIDs of whom something was said."""
    effects = Effects()
    said = room.awaited.pop(domain, deque())
    if not sessions:
        return effects
    for nick in nicks:
        _show(room, effects, JID.parse(nick), sessions)
    messages, is_all = _messages(room, first, answer, said)
    if not is_all:
        effects.send(_gap(room, messages), sessions)
    for message in messages:
        spread(room, effects, message, sessions)
    return effects


def give_up(room: RoomState, domain: JID, since: float, now: float) -> Effects:
    """Takes those at a domain out who were out of reach for too long, since `since`."""
    effects = Effects()
    for session in at(room, domain):
        occupant = room.occupants.at(session)
        if occupant is None:
            continue
        patience = VISITORS_SECONDS if room.affiliation_of(session.bare) == "none" else MEMBERS_SECONDS
        if now - since >= patience:
            notice = gone(occupant, session, (333,))
            exit.remove_session(room, effects, occupant, session, notice, now, "out of reach for too long")
    return effects


def at(room: RoomState, domain: JID) -> tuple[JID, ...]:
    """The sessions in the room that are at a domain."""
    return tuple([session for session in room.occupants.everyone if session.domain == domain])


def _show(room: RoomState, effects: Effects, nick: JID, sessions: tuple[JID, ...]) -> None:
    occupant = room.occupants.named(nick.resource)
    if occupant is None:
        notice = Notice(nick, "", nick, "none", "none", "unavailable")
        spread(room, effects, compose(notice, False), sessions)
        return
    own = tuple([session for session in sessions if session in occupant.sessions])
    if own:
        tell_self(room, effects, occupant.notice(), own)
    if is_shown(room, occupant):
        others = [session for session in sessions if session not in occupant.sessions]
        entitled = set(room.entitled())
        spread(room, effects, occupant.revealing, [session for session in others if session in entitled])
        spread(room, effects, occupant.plain, [session for session in others if session not in entitled])


def _messages(
    room: RoomState, first: str, answer: Found | None, said: Collection[Payload]
) -> tuple[list[Payload], bool]:
    """The newest of what was missed, and whether that is all."""
    place = room.archive.seq_of(first)
    if place is None:
        return [], True
    if answer is None:
        return room.history.unseen(place - 1, room.archive.seq_of, Limits(messages=MOST), room.jid)
    messages, is_whole = read_up(room, first, answer.rows, said)
    told = [delayed(message, room.jid, message.stamp) for message in messages[-MOST:] if _RETRACTED not in message.rest]
    return told, is_whole and len(messages) <= MOST


def _gap(room: RoomState, messages: list[Payload]) -> Payload:
    first = f" first='{messages[0].archive_id}'" if messages else ""
    rest = (
        f" from='{room.jid.attribute}' id='{escape(room.new_id())}' type='groupchat'><body>{_GAP}</body>"
        f"<history xmlns='{ns.HISTORY}' truncated='true'{first}/></message>"
    )
    return Payload("message", rest, room.jid, "groupchat")
