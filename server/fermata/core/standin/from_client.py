"""What attached clients send: as if each were in the room itself."""

from math import inf
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import E, Element, child, copy_of, namespace
from ...xmpp.errors import StanzaError
from ...xmpp.jid import JID
from ...xmpp.payload import payload_of
from ...xmpp.stanza import message_type
from . import availability, entering
from .acts import Act, Detached, Forget, Native, Save, ToClients, ToRoom
from .stanzas import DIRECT, LEAVE, MUC, PING, REJOIN, is_call, is_out, leaves
from .state import GRACE_SECONDS, Standing, StandInState

_MOST_PARKED: Final = 100
_MOST_PINGS: Final = 20
# What the room answers to whoever it knows by his bare JID; the results of an archive come as messages of their own.
_FOR_ANYBODY: Final = frozenset(
    {
        ns.DISCO_INFO,
        ns.DISCO_ITEMS,
        ns.VCARD,
        ns.REGISTER,
        ns.MAM,
        ns.PUBSUB,
        ns.PING,
        ns.VERSION,
        ns.TIME,
        ns.LAST,
        ns.PUSH,
    }
)


def presence(s: StandInState, client: JID, stanza: Element, to: JID, now: float) -> list[Act]:
    """Entering once more, leaving, a new nickname, a new status. Raises StanzaError."""
    type = stanza.get("type", "")
    if type == "unavailable":
        return _leave(s, client, stanza, now)
    if type:
        return []
    if child(stanza, DIRECT) is not None:
        return [*gone(s, client, now), Native(client, stanza)]
    seat = s.attached.get(client)
    is_renaming = seat is not None and to.resource not in ("", s.here, seat.nick)
    is_back = child(stanza, REJOIN) is not None
    if not is_renaming and (child(stanza, MUC) is not None or (is_back and seat is None)):
        return entering.enter(s, client, stanza, to, now)
    if seat is None:
        return []
    if is_call(stanza):
        return _beside(s, client, stanza, now)
    if is_renaming:
        s.renaming = (client, stanza)
        renamed = E("presence", {"from": s.me, "to": to}, *availability.stated(s))
        id = stanza.get("id")
        if id is not None:
            renamed.set("id", id)
        return [ToRoom(renamed)]
    seat.presence = stanza
    availability.changes(s, now)
    return _asks(s, client, stanza) if is_back else []


def _beside(s: StandInState, client: JID, stanza: Element, now: float) -> list[Act]:
    """Calls are between clients: for one, this client enters beside the stand-in (XEP-0272)."""
    own = copy_of(stanza)
    own.append(E(MUC))
    return [*gone(s, client, now), Native(client, own)]


def _leave(s: StandInState, client: JID, stanza: Element, now: float) -> list[Act]:
    """A client leaves. Whether the account does is another question, unless the client says so."""
    if child(stanza, LEAVE) is not None:
        return leave(s, is_meant=True)
    newcomer = next((each for each in s.waiting if each.client == client), None)
    occupant = s.occupant if newcomer is None else s.room.with_resource(newcomer.nick)
    word = ToClients(payload_of(is_out(occupant)), (client,))
    acts = gone(s, client, now)
    if not s.attached and not s.waiting:
        s.keeps = False
        _unwanted(s, now)
    return [word, *acts]


def gone(s: StandInState, client: JID, now: float) -> list[Act]:
    """A client is not there any more, whether it has said so or not."""
    was_driving = s.driver == client
    if s.beside.pop(client, None) is not None:
        s.away_since = now
        availability.changes(s, now)
        return []
    if s.attached.pop(client, None) is None and not any(each.client == client for each in s.waiting):
        return []
    s.waiting = [each for each in s.waiting if each.client != client]
    s.pings = [each for each in s.pings if each[0] != client]
    if was_driving:
        s.driver = None
    if not s.attached and not s.waiting:
        s.away_since = now
        _unwanted(s, now)
    availability.changes(s, now)
    return [Detached(client), Save()]


def beside(s: StandInState, client: JID, stanza: Element, to: JID, now: float) -> list[Act]:
    """A client that is in the room by itself says how it is there; if it takes another nickname, so does the account.

    Some rooms rename all sessions of an occupant then, others only the one that asks.
    """
    type = stanza.get("type")
    if type == "unavailable":
        return [*gone(s, client, now), *(leave(s, is_meant=True) if child(stanza, LEAVE) is not None else [])]
    if type:
        return []
    s.beside[client] = stanza
    if s.standing is not Standing.IN or to.resource in ("", s.here):
        return []
    return [ToRoom(E("presence", {"from": s.me, "to": to}, *availability.stated(s)))]


def _unwanted(s: StandInState, now: float) -> None:
    if not s.is_wanted:
        s.leaves_at = min(s.leaves_at, now + GRACE_SECONDS)


def leave(s: StandInState, is_meant: bool = False) -> list[Act]:
    """The account leaves the room, for all of its clients.

    If a person means just that, a wish for which there is still a bookmark counts again only when it is renewed.
    """
    acts: list[Act] = []
    if s.standing is not Standing.OUT and s.standing is not Standing.REMOVED:
        acts.append(ToRoom(leaves(s.me, s.occupant)))
        acts += s.to_all(payload_of(is_out(s.occupant)))
    acts += entering.dismiss(s)
    s.keeps, s.leaves_at = False, inf
    if is_meant and s.wish is not None:
        s.standing, s.why = Standing.REMOVED, "left"
    else:
        s.standing, s.why, s.wish = Standing.OUT, "", None
    return [*acts, Forget(), Save()]


def message(s: StandInState, client: JID, stanza: Element, to: JID) -> list[Act]:
    """Something is said in the room, or to somebody in it. Raises StanzaError `resource-constraint`."""
    if message_type(stanza) == "error":
        return []
    said = copy_of(stanza)
    said.set("from", s.me)
    s.questions.say(said, client)
    if s.standing is Standing.IN:
        return [ToRoom(said, client)]
    if len(s.parked) >= _MOST_PARKED:
        raise StanzaError("resource-constraint", "the room is out of reach, and too much waits for it", "wait")
    s.parked.append((client, said))
    return []


def iq(s: StandInState, client: JID, stanza: Element, to: JID) -> list[Act]:
    """A request to the room or to somebody in it."""
    if stanza.get("type") not in ("get", "set"):
        return []
    if (
        to.resource
        and to.resource in (s.here, s.attached[client].nick if client in s.attached else "")
        and (stanza[0].tag == PING)
    ):
        return _asks(s, client, stanza)
    if not to.resource and namespace(stanza[0]) in _FOR_ANYBODY:
        return [ToRoom(stanza)]
    return [ToRoom(s.questions.ask(stanza, client, to, s.me, s.new_id()))]


def _asks(s: StandInState, client: JID, stanza: Element) -> list[Act]:
    """Am I in (XEP-0410, `rejoin-if-needed`)? What is known is answered; what is not, once it is."""
    if len(s.pings) < _MOST_PINGS:
        s.pings.append((client, stanza))
    return entering.answer_pings(s) if s.standing is Standing.IN and not s.is_doubted else []
