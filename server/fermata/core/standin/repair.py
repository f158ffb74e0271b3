"""What was missed in a room, after a start, a way that was lost or a time outside: it is told before what is new.

Until it is known whether anything was missed, what the room says to all is held. If the history that a room tells on
entering begins with what was known, nothing is missing. If it does not, and where one is still in, the room's archive
is asked for what is behind the newest message that was known, a page at a time. A room without one is entered once more
for its history. Whatever a room does, that comes to an end: then what is held is told, behind a gap if there is one.
"""

from math import inf
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from ...xmpp.stanza import condition_of
from ..keeping import ARCHIVE, room_keeps
from . import entering
from .acts import Act, Said, Save, ToRoom, Turn
from .missed import MOST_FALLS, Held, Phase, Repair
from .room_archive import PAGE, Where, asks, id_of, is_complete, told_by
from .said import history_ends, take
from .stanzas import identity, is_subject, said_at, stanza_id
from .state import Standing, StandInState

MOST_MISSED: Final = 2_000  #: of one time away, so many of the oldest messages; then, behind a gap, of the newest
MOST_NEWEST: Final = 200
MOST_HELD: Final = 500
ANSWER_SECONDS: Final = 30.0
_DAY: Final = 86_400.0  # a room that does not know an id any more may begin at its beginning, without a word
_MOST_PAGES: Final = 60  # and as many of the newest
_MOST_TRIES: Final = 2
_MOST_CHARACTERS: Final = 1_000_000  # that are held


def found_in(s: StandInState) -> list[Act]:
    """It is in, without having entered: what was missed meanwhile can be asked for."""
    r = s.repair
    if r is None or r.phase is not Phase.DUE or s.standing is not Standing.IN or s.view.is_being_told:
        return []
    return _line_up(r)


def _line_up(r: Repair) -> list[Act]:
    r.phase, r.deadline, r.id = Phase.IN_LINE, inf, ""
    return [Turn()]


def turn(s: StandInState, now: float) -> list[Act]:
    """It may ask."""
    r = s.repair
    if r is None or r.phase is not Phase.IN_LINE:
        return []
    if s.standing is not Standing.IN or s.view.is_being_told:
        r.phase = Phase.DUE
        return []
    if not r.has_history and (r.is_refused or (not s.view.is_known and (s.attached or s.waiting))):
        acts = entering.resync(s)
        r.deadline = now + ANSWER_SECONDS
        return acts
    r.phase, r.deadline, r.id, r.in_page = Phase.ASKED, now + ANSWER_SECONDS, s.new_id(), 0
    if r.where is None:
        r.where = _from_then(s, _DAY)._replace(after=s.last) if s.last else _from_then(s)
    return [ToRoom(asks(s.me, s.room, r.id, r.where))]


def _from_then(s: StandInState, overlap: float = entering.OVERLAP_SECONDS) -> Where:
    return Where(start=max(1.0, s.since - overlap))


# -- what is said meanwhile


def hold(s: StandInState, r: Repair, held: Held, now: float) -> list[Act]:
    """Something is said to all."""
    key, id, stamp = identity(held.stanza, s.room), stanza_id(held.stanza, s.room), said_at(held.stanza)
    is_history = bool(stamp) and r.phase is Phase.TOLD
    is_known = s.recent.knows(key) or (id != "" and id == s.last)
    if is_history and is_known and not r.is_joined:
        r.is_joined, r.is_whole = True, True
        r.held.clear()  # what the history tells before something that is known is known
    if (is_history and r.is_joined) or (is_known and (id or stamp)):
        return take(s, *held, now)
    if is_history:
        _drop(r, key)  # it has its place in the history
    # People may repeat themselves: only what has an id or a time can be told apart from a repetition.
    key = key if id or stamp else s.new_id()
    if key in r.held:
        return []
    r.held[key] = held
    r.characters += len(held.payload.rest)
    while len(r.held) > MOST_HELD or r.characters > _MOST_CHARACTERS:
        r.is_whole = False
        r.characters -= len(r.held.pop(next(iter(r.held))).payload.rest)
    return history_told(s, now) if r.phase is Phase.TOLD and not stamp else []


def fell(s: StandInState) -> None:
    """It was put out, for no reason of people's."""
    r = s.repair
    is_meanwhile = r is not None and r.phase in (Phase.TOLD, Phase.ASKED)
    s.may_miss()
    if r is not None and is_meanwhile:
        r.falls += 1


def history_told(s: StandInState, now: float) -> list[Act]:
    """The history of the room has come to its end."""
    r = s.repair
    if r is None or r.phase is not Phase.TOLD:
        return []
    if r.is_joined and r.is_whole:
        return finish(s, now)
    if r.falls >= MOST_FALLS:
        s.since, s.last = now, ""  # what it was told was not for it to hear: it is not asked for again
        return finish(s, now, is_gap=True)
    if r.is_refused:
        return finish(s, now, is_gap=_has_strange_history(s, r))
    return _line_up(r)


def _has_strange_history(s: StandInState, r: Repair) -> bool:
    return s.last != "" and any(said_at(held.stanza) for held in r.held.values())


# -- the archive of the room


def result(s: StandInState, found: Element, now: float) -> list[Act]:
    """A message of the archive. Only what was asked for is believed, and no more of it."""
    r, id = s.repair, id_of(found)
    if r is None or r.phase is not Phase.ASKED or r.where is None or found.get("queryid") != r.id:
        return []
    if not id or r.in_page >= PAGE:
        return []
    r.in_page, r.results = r.in_page + 1, r.results + 1
    if r.newest is None:
        r.where = r.where._replace(after=id)
    elif r.in_page == 1:
        r.where = Where(before=id)
    message = told_by(found, s.room, s.me)
    if r.newest is not None and id == r.reached:
        r.page.clear()
        r.is_met = True
    if message is None or is_subject(message) or not room_keeps(message) & ARCHIVE:
        return []
    told = Held(message, payload_of(message), JID.parse(message.get("from", "")))
    if r.newest is None:
        _drop(r, id)
        return take(s, *told, now)
    if id != r.reached:
        r.page[id] = told
    return []


def _drop(r: Repair, key: str) -> None:
    held = r.held.pop(key, None)
    if held is not None:
        r.characters -= len(held.payload.rest)


def answered(s: StandInState, iq: Element, now: float) -> list[Act] | None:
    """The room has answered a request; None if it is not about this."""
    r = s.repair
    if r is None or r.phase is not Phase.ASKED or iq.get("id") != r.id:
        return None
    complete = is_complete(iq) if iq.get("type") == "result" else None
    if complete is None:
        return _refused(s, r, condition_of(iq) if iq.get("type") == "error" else "", now)
    r.tries, r.pages = 0, r.pages + 1
    is_end = complete or not r.in_page
    if r.newest is not None:
        r.newest, r.page = {**r.page, **r.newest}, {}
        if is_end or r.is_met or len(r.newest) >= MOST_NEWEST or r.pages >= 2 * _MOST_PAGES:
            return finish(s, now, is_gap=not r.is_met)
    elif is_end and r.is_whole:
        return finish(s, now)
    elif r.results >= MOST_MISSED or r.pages >= _MOST_PAGES:
        r.newest, r.reached, r.where = {}, "" if r.where is None else r.where.after, Where(before="")
    r.is_whole = r.is_whole or is_end  # what could not be held is in the archive by now
    return _line_up(r)


def _refused(s: StandInState, r: Repair, condition: str, now: float) -> list[Act]:
    if condition == "item-not-found" and r.where is not None and r.where.after == s.last != "" and not r.results:
        r.where = _from_then(s)
        return _line_up(r)
    return _given_up(s, r, now)


def _given_up(s: StandInState, r: Repair, now: float) -> list[Act]:
    """There is no archive, or no more of it: the history, if there is one, has to do."""
    r.is_refused = True
    if r.has_history or r.results:
        return finish(s, now, is_gap=r.results > 0 or _has_strange_history(s, r))
    return _line_up(r)


# -- the end


def tick(s: StandInState, now: float) -> list[Act]:
    """What was waited for has not come."""
    r = s.repair
    if r is None or r.deadline > now:
        return []
    r.deadline = inf
    if r.phase is Phase.TOLD:
        return history_told(s, now)
    if r.phase is Phase.ASKED:
        r.tries += 1
        return _line_up(r) if r.tries < _MOST_TRIES else _given_up(s, r, now)
    return [*finish(s, now), *entering.untold(s, now)] if s.standing is Standing.IN else []


def finish(s: StandInState, now: float, is_gap: bool = False) -> list[Act]:
    """What was missed is told: now comes what was said since."""
    r, s.repair = s.repair, None
    if r is None:
        return []
    newest = r.newest or {}
    begins = next(iter(newest), "")
    rest = list(({**r.held, **newest} if begins in r.held else {**newest, **r.held}).values())
    acts: list[Act] = [_gap(s, rest)] if is_gap or not r.is_whole else []
    for held in rest:
        acts += [] if said_at(held.stanza) else history_ends(s)
        acts += take(s, *held, now)
    return [*acts, *history_ends(s), Save()]


def _gap(s: StandInState, rest: list[Held]) -> Act:
    """Clients, and whoever reads the account's archive, see that something is missing here (see core.muc.missed)."""
    first = next((id for held in rest if (id := stanza_id(held.stanza, s.room))), "")
    said = {"truncated": "true", "first": first} if first else {"truncated": "true"}
    mark = E("message", {"from": s.room, "to": s.me, "type": "groupchat", "id": s.new_id()})
    mark.append(E("{%s}history" % ns.HISTORY, said))
    payload = payload_of(mark)
    return Said(payload, mark, s.ready(payload, s.clients))
