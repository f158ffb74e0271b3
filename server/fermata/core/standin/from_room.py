"""What the room says to its occupant, and so to all attached clients."""

from typing import Final

from ...xmpp.element import Element, child, copy_of
from ...xmpp.jid import JID
from ...xmpp.payload import Payload, payload_of
from ...xmpp.stanza import condition_of, message_type
from . import entering, repair
from .acts import Act, Answer, Doubt, Fallen, Said, Save, ToRoom
from .missed import Held
from .room_archive import RESULT
from .said import history_ends, take
from .stanzas import (
    codes_of,
    invites_back,
    is_destroyed,
    is_subject,
    leaves,
    new_nick,
    said_at,
    with_code,
)
from .state import NEWS_SECONDS, SHOWN_SECONDS, Standing, StandInState
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
        if s.attached and nick not in s.view.others:
            s.shown_at = min(s.shown_at, now + SHOWN_SECONDS)
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
        return [*repair.finish(s, now), *entering.out(s, stanza), Save()]
    if s.standing is Standing.IN:
        s.nick, s.tells_at = s.here or s.nick, now + NEWS_SECONDS
    s.standing = Standing.FALLEN
    s.view.abandon()
    repair.fell(s)
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


def message(s: StandInState, stanza: Element, payload: Payload, sender: JID, now: float) -> list[Act]:
    """Something was said to all or to this occupant; or what a client has said comes back as an error."""
    type = message_type(stanza)
    if type == "error":
        return _undelivered(s, stanza, sender)
    if s.standing in _OUT:
        return []
    found = child(stanza, RESULT)
    if found is not None and not sender.resource:
        return repair.result(s, found, now)
    if type != "groupchat" and not sender.resource and invites_back(stanza, s.room):
        return [Fallen(s.nick, 0.0)] if s.standing is Standing.FALLEN else [Doubt()]
    if type != "groupchat":
        return [Said(payload, stanza, s.ready(payload, s.clients), is_private=True)]
    if is_subject(stanza):
        return _subject(s, payload, now)
    if s.repair is not None:
        return repair.hold(s, s.repair, Held(stanza, payload, sender), now)
    # Some rooms have no subject that would end their history.
    return [*([] if said_at(stanza) else history_ends(s)), *take(s, stanza, payload, sender, now)]


def _subject(s: StandInState, payload: Payload, now: float) -> list[Act]:
    """The subject is also what ends the history, for those who have just entered."""
    is_changed = s.view.subject is None or s.view.subject.rest != payload.rest
    s.view.subject = payload
    told = tuple(client for client, seat in s.attached.items() if is_changed or seat.is_new)
    behind = {client for client, seat in s.attached.items() if seat.limits is not None}
    acts = s.to_some(payload, tuple(client for client in told if client not in behind))
    return [*acts, *(history_ends(s) if s.repair is None else repair.history_told(s, now))]


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


def iq(s: StandInState, stanza: Element, sender: JID, now: float) -> list[Act]:
    """The answer to a client's request, or to the question what was missed."""
    if sender == s.room and (acts := repair.answered(s, stanza, now)) is not None:
        return acts
    question = s.questions.answered(stanza.get("id", ""), sender)
    if question is None:
        return []
    answer = copy_of(stanza)
    answer.set("id", question.id)
    return [Answer(question.client, answer)]
