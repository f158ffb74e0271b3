"""How a stand-in gets into its room, and clients get to it (XEP-0045 §7.1, §7.2)."""

from collections.abc import Sequence
from math import inf
from typing import Final

from ...xmpp.element import E, Element, child, copy_of
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import Payload, payload_of
from ...xmpp.stamps import text_of
from ...xmpp.stanza import condition_of, error_of, type_of_error
from ..guardian.verdict import Refusal, of_entering
from ..muc.history import Limits
from ..stored_xml import stanza_from
from . import availability
from .acts import (
    Act,
    Answer,
    Attached,
    Detached,
    Doubt,
    Fallen,
    Forget,
    Refused,
    Replay,
    Save,
    ToClients,
    ToRoom,
    Watch,
)
from .missed import MOST_FALLS, Phase
from .recent import MOST
from .stanzas import (
    HISTORY,
    MUC,
    PASSWORD,
    REJOIN,
    REJOIN_PASSWORD,
    REJOINED,
    codes_of,
    enters,
    is_in,
    is_out,
    leaves,
    with_code,
)
from .state import Beside, Newcomer, Seat, Standing, StandInState
from .view import gone, own_presence

_NO_HISTORY: Final = {"maxstanzas": "0"}
_FIRST_HISTORY: Final = {"maxstanzas": str(MOST)}
OVERLAP_SECONDS: Final = 60.0  #: clocks of two servers differ: what comes twice is recognised
_NO_ANSWER_SECONDS: Final = 30.0
_HISTORY_SECONDS: Final = 10.0  # some rooms have no subject that would end their history
_MOST_WAITING: Final = 50


def enter(s: StandInState, client: JID, presence: Element, to: JID, now: float) -> list[Act]:
    """A client enters, as it believes. Raises StanzaError: `jid-malformed`, `bad-request`, `resource-constraint`."""
    newcomer = _newcomer(client, presence, to, now)
    s.leaves_at = inf
    if s.standing is Standing.IN and s.view.is_known and not s.view.is_being_told:
        return [Attached(client), *_let_in(s, newcomer, now), Save()]
    if len(s.waiting) >= _MOST_WAITING:
        raise StanzaError("resource-constraint", "too many of your clients are entering that room", "wait")
    s.waiting = [*(each for each in s.waiting if each.client != client), newcomer]
    s.attached.pop(client, None)  # it will be told everything anew
    acts: list[Act] = [Attached(client)]
    if s.standing is Standing.ENTERING or s.view.is_being_told:
        return acts
    return [*acts, *_drive(s, newcomer)]


def again(s: StandInState, nick: str) -> list[Act]:
    """The guardian lets it enter, the first time or again: what was missed is asked for."""
    if s.standing in (Standing.OUT, Standing.REMOVED):
        return [Forget()]
    if s.waiting:
        return _drive(s, s.waiting[0], is_watched=True)
    s.nick, s.driver = nick, None
    s.may_miss()
    return [_joins(s, _missed(s))]


def come(s: StandInState, beside: Sequence[Beside]) -> list[Act]:
    """It is wished that it is in, and it may enter: the guardian sees to it that not all do so at once.

    It shares the nickname of clients that are in by themselves, so that nobody sees anybody come (XEP-0045 §7.2.8).
    """
    if s.standing is not Standing.OUT:
        return []
    s.beside = {each.client: each.presence for each in beside}
    s.waits = s.waits and bool(beside)
    if s.wish is None or s.waits:
        return []
    s.nick, s.password = s.wish
    if beside:
        s.nick = beside[0].nick
    s.standing = Standing.FALLEN
    return [Fallen(s.nick, 0.0), Save()]


def resync(s: StandInState) -> list[Act]:
    """It is in, but does not know who else is: the room is asked to tell."""
    s.driver = None
    s.may_miss()
    return [_joins(s, _missed(s))]


def _drive(s: StandInState, newcomer: Newcomer, is_watched: bool = False) -> list[Act]:
    """It enters in the words of a client; the guardian, if it does not know, tries again where no answer comes.

    What it has missed itself, it asks for: a client may want less history, and reads the archive of the account.
    """
    s.driver, s.repair = newcomer.client, s.repair if s.is_archived else None
    if s.is_archived:
        s.may_miss()
    history = newcomer.history if s.repair is None else _missed(s)
    if s.standing is Standing.IN:
        return [_joins(s, history)]
    s.nick, s.password = newcomer.credentials
    join = _joins(s, history)
    return [join] if is_watched else [join, Fallen(s.nick, _NO_ANSWER_SECONDS)]


def _joins(s: StandInState, history: dict[str, str]) -> Act:
    if s.standing is not Standing.IN:
        s.standing = Standing.ENTERING
        occupant = s.room.with_resource(s.nick)
    else:
        occupant = s.occupant
    s.view.begin()
    return ToRoom(enters(s.me, occupant, history, s.password, availability.stated(s)))


def _missed(s: StandInState) -> dict[str, str]:
    if s.repair is not None and s.repair.falls >= MOST_FALLS:
        return _NO_HISTORY
    return {"since": text_of(s.since - OVERLAP_SECONDS)} if s.since else _FIRST_HISTORY


def _newcomer(client: JID, presence: Element, to: JID, now: float) -> Newcomer:
    if not to.resource:
        raise StanzaError("jid-malformed", "a nickname is missing", by=to)
    x = next(item for item in presence if item.tag in (MUC, REJOIN))
    password = child(x, PASSWORD if x.tag == MUC else REJOIN_PASSWORD)
    history = child(x, HISTORY)
    limits = Limits.parse(history, now)
    text = "" if password is None else password.text or ""
    asked = {} if history is None else dict(history.attrib)
    return Newcomer(client, to.resource, text, asked, limits, presence)


# -- the room lets it in


def entered(s: StandInState, presence: Element, nick: str, now: float) -> list[Act]:
    """Its own presence has come, after those of all others."""
    codes = codes_of(presence)
    if "201" in codes and not s.waiting and not s.attached:
        return _made_by_mistake(s, nick)
    s.here, s.standing, s.why, s.is_doubted, s.tells_at = nick, Standing.IN, "", False, inf
    if not s.joined:
        s.joined, s.gathered = now - OVERLAP_SECONDS, []
    s.since = s.since or now
    acts: list[Act] = [Watch(nick)]
    for change in (*_gone_meanwhile(s), *s.view.end(own_presence(presence))):
        acts += s.to_all(change)
    waiting, s.waiting = s.waiting, []
    for newcomer in waiting:
        is_first = newcomer.client == s.driver and s.repair is None
        acts += _let_in_first(s, newcomer, presence) if is_first else _let_in_later(s, newcomer)
    s.driver = None
    if s.repair is not None:
        s.repair.has_history = True
        s.repair.begin(Phase.TOLD, now + _HISTORY_SECONDS)
    parked, s.parked = s.parked, []
    acts += [ToRoom(message, client) for client, message in parked]
    availability.changes(s, now)
    return [*acts, *answer_pings(s), Save()]


def _gone_meanwhile(s: StandInState) -> list[Payload]:
    """The leaving of those whom clients were shown before our start, and who are not there any more."""
    shown, s.shown = s.shown, []
    return [gone(s.room.with_resource(nick)) for nick in shown if nick != s.here and not s.view.is_told(nick)]


def _made_by_mistake(s: StandInState, nick: str) -> list[Act]:
    """Nobody wanted a new room: the one that was to be entered is not there any more."""
    s.view.forget()
    s.standing, s.why, s.repair = Standing.REMOVED, "item-not-found", None
    s.forget_said()
    return [ToRoom(leaves(s.me, s.room.with_resource(nick))), Forget(), Save()]


def _let_in_first(s: StandInState, newcomer: Newcomer, presence: Element) -> list[Act]:
    """The client in whose words it has entered sees what the room has told; history and subject follow."""
    client = newcomer.client
    seat = s.attached[client] = Seat(newcomer.nick, newcomer.presence)
    seat.is_new = True
    if s.here != newcomer.nick and "210" not in codes_of(presence):
        presence = with_code(presence, "210")
    presence = copy_of(presence)
    presence.attrib.pop("id", None)
    if newcomer.id:
        presence.set("id", newcomer.id)
    if newcomer.is_back:
        presence.append(E(REJOINED))
    return [
        *_was_out(s, newcomer),
        *(ToClients(each, (client,)) for each in s.view.others.values()),
        ToClients(payload_of(presence), (client,)),
    ]


def _was_out(s: StandInState, newcomer: Newcomer) -> list[Act]:
    return [ToClients(payload_of(is_out(s.occupant, "333")), (newcomer.client,))] if newcomer.is_back else []


def _let_in_later(s: StandInState, newcomer: Newcomer) -> list[Act]:
    """Another one that has waited too: the history is its own, once the room has told its subject."""
    client = newcomer.client
    seat = s.attached[client] = Seat(newcomer.nick, newcomer.presence)
    seat.held, seat.limits = [], newcomer.limits
    shown = s.view.shown(newcomer.nick, newcomer.id, s.me, newcomer.is_back)
    return [*_was_out(s, newcomer), *(ToClients(each, (client,)) for each in shown)]


def _let_in(s: StandInState, newcomer: Newcomer, now: float) -> list[Act]:
    """A client enters where the account is already: nobody else hears of it."""
    acts = _let_in_later(s, newcomer)
    availability.changes(s, now)
    return [*acts, *replay(s, newcomer.client)]


def _let_all_in(s: StandInState, now: float) -> list[Act]:
    """All who wait, where what is known has to do."""
    waiting, s.waiting, s.driver = s.waiting, [], None
    return [act for newcomer in waiting for act in _let_in(s, newcomer, now)]


def replay(s: StandInState, client: JID) -> list[Act]:
    """Tells a client the history."""
    seat = s.attached[client]
    limits, seat.limits = seat.limits, None
    before, seat.before = tuple(seat.before), []
    if limits is None or limits.messages < 1 or limits.characters < 1:
        return replayed(s, client, [])
    return [Replay(client, int(min(limits.messages, MOST)), limits, before)]


def replayed(s: StandInState, client: JID, history: Sequence[Payload]) -> list[Act]:
    """The history was read: it is followed by the subject, and by what has happened meanwhile."""
    seat = s.attached.get(client)
    if seat is None or seat.held is None:
        return []
    held, seat.held = seat.held, None
    subject = s.view.subject or _no_subject(s)
    return [ToClients(each, (client,)) for each in (*history, subject, *held)]


def _no_subject(s: StandInState) -> Payload:
    return payload_of(E("message", {"from": s.room, "type": "groupchat"}, E("subject")))


def answer_pings(s: StandInState) -> list[Act]:
    """Clients that have asked whether they are in learn that they are (XEP-0410)."""
    pings, s.pings = s.pings, []
    return [Answer(client, _pong(s, asked)) for client, asked in pings]


def _pong(s: StandInState, asked: Element) -> Element:
    if asked.tag == "iq":
        return E("iq", {"type": "result", "id": asked.get("id", ""), "from": asked.get("to", s.occupant)})
    own = is_in(s.occupant) if s.view.own is None else stanza_from(s.view.own.addressed(s.me))
    own.attrib.pop("id", None)
    id = asked.get("id")
    if id is not None:
        own.set("id", id)
    return own


# -- it does not


def refused(s: StandInState, error: Element, now: float) -> list[Act]:
    """The room has answered with an error: those hear of it in whose words it was to enter, and others are tried."""
    if s.standing is Standing.IN:
        return untold(s, now)
    s.view.abandon()
    s.standing = Standing.FALLEN
    driver = next((each for each in s.waiting if each.client == s.driver), None)
    s.driver = None
    condition, type = condition_of(error), type_of_error(error)
    if driver is None:
        return _turned_away(s, condition, type)
    losers = [each for each in s.waiting if each.credentials == driver.credentials]
    s.waiting = [each for each in s.waiting if each not in losers]
    acts: list[Act] = [
        act for each in losers for act in (Answer(each.client, _refusal(s, each, error)), Detached(each.client))
    ]
    if s.waiting:
        return [*acts, *_drive(s, s.waiting[0])]
    if s.wish is not None and s.wish == driver.credentials:
        return [*acts, *_turned_away(s, condition, type)]
    if s.wish is not None or s.attached:
        return [*acts, Fallen(s.here or s.nick if s.wish is None else s.wish.nick, _NO_ANSWER_SECONDS), Save()]
    s.standing = Standing.OUT
    return [*acts, Forget(), Save()]


def _turned_away(s: StandInState, condition: str, type: str) -> list[Act]:
    """The guardian knows what to do; but where a client is in by itself, one waits until it has gone."""
    if s.beside and of_entering(condition, type) is not Refusal.AGAIN:
        if s.waiting:
            return _drive(s, s.waiting[0])
        s.standing, s.waits = Standing.OUT, True
        return [Forget(), Save()]
    return [Refused(condition, type), Save()]


def untold(s: StandInState, now: float) -> list[Act]:
    """It is in, as far as it knows, and has entered once more to be told everything; the room does not tell it."""
    s.view.abandon()
    return [*(_let_all_in(s, now) if s.view.is_known else []), Doubt()]


def _refusal(s: StandInState, newcomer: Newcomer, error: Element) -> Element:
    # Prosody leaves `<x/>` out, by which some clients see what the error answers.
    x = [] if child(error, MUC) is not None else [E(MUC)]
    answer = E("presence", {"type": "error", "from": s.room.with_resource(newcomer.nick)}, *x, *error)
    if newcomer.id:
        answer.set("id", newcomer.id)
    return answer


def lost(s: StandInState, condition: str) -> list[Act]:
    """The guardian has given up: there is no way in, and everybody must know."""
    s.why = condition
    return [*out(s, is_out(s.occupant, _CODES.get(condition, "333"))), Save()]


_CODES: Final = {"forbidden": "301", "registration-required": "322"}


def out(s: StandInState, word: Element) -> list[Act]:
    """It is out, by what people have decided: each client is told with this presence."""
    acts: list[Act] = [*s.to_all(payload_of(word)), *dismiss(s)]
    s.standing, s.keeps = Standing.REMOVED, False
    s.forget_said()
    return [*acts, Forget()]


def dismiss(s: StandInState) -> list[Act]:
    """No client is attached any more, and nothing of the room is known."""
    clients = [*s.attached, *(each.client for each in s.waiting)]
    acts: list[Act] = []
    for client, message in s.parked:
        acts.append(Answer(client, error_of(message, StanzaError("recipient-unavailable", "you are not in the room"))))
    s.attached.clear()
    s.waiting, s.parked, s.pings, s.driver, s.renaming, s.repair = [], [], [], None, None, None
    s.here, s.leaves_at, s.tells_at, s.presence_at, s.stated = "", inf, inf, inf, ()
    s.view.forget()
    return [*acts, *(Detached(client) for client in clients)]
