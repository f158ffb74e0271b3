"""What the room says to its occupant, and so to all attached clients."""

from typing import Final

from ...xmpp.element import Element, copy_of
from ...xmpp.jid import JID
from ...xmpp.payload import Payload, payload_of
from ...xmpp.stanza import condition_of, message_type
from ..keeping import ARCHIVE, room_keeps
from . import entering
from .acts import Act, Answer, Before, Doubt, Fallen, Said, Save, ToRoom
from .recent import MOST
from .stanzas import (
    STANZA_ID,
    codes_of,
    identity,
    invites_back,
    is_destroyed,
    is_subject,
    leaves,
    new_nick,
    said_at,
    with_code,
)
from .state import NEWS_SECONDS, Seat, Standing, StandInState
from .view import own_presence

_BY_PEOPLE: Final = frozenset({"301", "307", "321", "322"})
_SHUTDOWN, _TECHNICAL = "332", "333"
_SHUTDOWN_PAUSE: Final = 30.0  # the room's server is about to stop: it is not back at once
_OUT: Final = (Standing.OUT, Standing.REMOVED)


def presence(s: StandInState, stanza: Element, payload: Payload, sender: JID, now: float) -> list[Act]:
    """Somebody enters, leaves, changes; or one's own way in and out."""
    type, codes = stanza.get("type", ""), codes_of(stanza)
    if type == "error":
        return _error(s, stanza, now)
    if type not in ("", "unavailable"):
        return []
    if s.standing in _OUT:
        return [ToRoom(leaves(s.me, sender))] if not type and "110" in codes else []
    nick = sender.resource
    if not nick:
        return s.to_all(payload)
    is_mine = nick == s.here and s.standing is Standing.IN
    if is_mine and "110" not in codes and (type or not s.view.is_being_told):
        # Some rooms leave the code out where another session of the same occupant is the reason.
        stanza = with_code(stanza, "110")
        payload, codes = payload_of(stanza), codes | {"110"}
    if "110" in codes:
        return _own_exit(s, stanza, payload, codes, now) if type else _own(s, stanza, payload, nick, now)
    if not type:
        return s.to_all(payload) if s.view.put(nick, payload) else []
    return s.to_all(payload) if s.view.drop(nick) else []


def _own(s: StandInState, stanza: Element, payload: Payload, nick: str, now: float) -> list[Act]:
    if s.view.is_being_told:
        return entering.entered(s, stanza, nick, now)
    if s.standing is not Standing.IN:
        return []  # nobody has asked for that
    is_renamed, s.here, s.view.own, s.renaming = nick != s.here, nick, own_presence(stanza), None
    return [*s.to_all(payload), *([Save()] if is_renamed else [])]


def _own_exit(s: StandInState, stanza: Element, payload: Payload, codes: frozenset[str], now: float) -> list[Act]:
    """A new nickname, a decision of people, or what can be mended without anybody seeing it."""
    if "303" in codes:
        renamed = new_nick(stanza, s.room)
        if renamed is not None:
            s.here = s.nick = renamed.resource
        return [*s.to_all(payload), Save()]
    if is_destroyed(stanza) or (codes & _BY_PEOPLE and not codes & {_SHUTDOWN, _TECHNICAL}):
        s.why = "destroy" if is_destroyed(stanza) else min(codes & _BY_PEOPLE)
        return [*entering.out(s, stanza), Save()]
    if s.standing is Standing.IN:
        s.nick, s.tells_at = s.here or s.nick, now + NEWS_SECONDS
    s.standing = Standing.FALLEN
    s.view.abandon()
    return [Fallen(s.nick, _SHUTDOWN_PAUSE if _SHUTDOWN in codes else 0.0), Save()]


def _error(s: StandInState, stanza: Element, now: float) -> list[Act]:
    if s.renaming is not None and s.standing is Standing.IN and not s.view.is_being_told:
        (client, asked), s.renaming = s.renaming, None
        answer = copy_of(stanza)
        answer.attrib.pop("id", None)
        id = asked.get("id")
        if id is not None:
            answer.set("id", id)
        return [Answer(client, answer)]
    if s.view.is_being_told:
        return entering.refused(s, stanza, now)
    return []


def message(s: StandInState, stanza: Element, payload: Payload, sender: JID) -> list[Act]:
    """Something was said to all or to this occupant; or what a client has said comes back as an error."""
    type = message_type(stanza)
    if type == "error":
        return _undelivered(s, stanza, sender)
    if s.standing in _OUT:
        return []
    if type != "groupchat" and not sender.resource and invites_back(stanza, s.room):
        return [Fallen(s.nick, 0.0)] if s.standing is Standing.FALLEN else [Doubt()]
    if type != "groupchat":
        return [Said(payload, stanza, s.ready(payload, s.clients), is_private=True)]
    if is_subject(stanza):
        return _subject(s, payload)
    return _said(s, stanza, payload, sender)


def _said(s: StandInState, stanza: Element, payload: Payload, sender: JID) -> list[Act]:
    stamp = said_at(stanza)
    mine = s.questions.heard(stanza.get("id", "")) if sender.resource == s.here else None
    has_id = any(item.tag == STANZA_ID and item.get("by") == s.room for item in stanza)
    is_new = s.recent.takes(identity(stanza, s.room)) or not (stamp or has_id)
    if not is_new:
        # A client that has said something again, since it did not know whether it was heard, must learn that it was.
        author = None if mine is None else mine[0]
        told = tuple(client for client, seat in s.attached.items() if seat.is_new or client == author)
        return s.to_some(payload, told)
    acts = [] if stamp else _history_ends(s)  # some rooms have no subject
    if not room_keeps(stanza) & ARCHIVE:
        return [*acts, *s.to_all(payload)]
    # Of the history, those who will be told it by us need no copy.
    behind = [seat for seat in s.attached.values() if stamp and seat.limits is not None]
    clients = tuple(client for client, seat in s.attached.items() if seat not in behind)
    if stamp >= s.joined or not stamp:
        return [*acts, Said(payload, stanza, s.ready(payload, clients))]
    return _said_before(s, payload, stamp, behind)


def _said_before(s: StandInState, payload: Payload, stamp: float, behind: list[Seat]) -> list[Act]:
    """The room tells what was said before the account came: it is to be shown, and not in the archive."""
    payload.stamp = stamp
    for seat in behind:
        seat.before.append(payload)
    if s.gathered is not None:
        s.gathered = [*s.gathered[1 - MOST :], payload]
    return s.to_some(payload, tuple(client for client, seat in s.attached.items() if seat.is_new))


def _subject(s: StandInState, payload: Payload) -> list[Act]:
    """The subject is also what ends the history, for those who have just entered."""
    is_changed = s.view.subject is None or s.view.subject.rest != payload.rest
    s.view.subject = payload
    told = tuple(client for client, seat in s.attached.items() if is_changed or seat.is_new)
    behind = {client for client, seat in s.attached.items() if seat.limits is not None}
    return [*s.to_some(payload, tuple(client for client in told if client not in behind)), *_history_ends(s)]


def _history_ends(s: StandInState) -> list[Act]:
    """Those who have entered with others are told theirs now."""
    gathered, s.gathered = s.gathered, None
    acts: list[Act] = [Before(tuple(gathered))] if gathered else []
    for client, seat in list(s.attached.items()):
        seat.is_new = False
        if seat.limits is not None:
            acts += entering.replay(s, client)
    return acts


def _undelivered(s: StandInState, stanza: Element, sender: JID) -> list[Act]:
    """It goes to who has said it; unless it only says that one is out, which can be mended."""
    found = s.questions.heard(stanza.get("id", ""))
    if found is None:
        return []
    client, said = found
    if not sender.resource and condition_of(stanza) == "not-acceptable" and s.standing is Standing.IN:
        s.parked.append((client, said))
        return [Doubt()]
    return [Answer(client, copy_of(stanza))]


def iq(s: StandInState, stanza: Element, sender: JID) -> list[Act]:
    """The answer to a client's request."""
    question = s.questions.answered(stanza.get("id", ""), sender)
    if question is None:
        return []
    answer = copy_of(stanza)
    answer.set("id", question.id)
    return [Answer(question.client, answer)]
