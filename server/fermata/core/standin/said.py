"""What is said to all in a room: told to clients, and to the account's archive, once."""

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..keeping import ARCHIVE, room_keeps
from . import entering
from .acts import Act, Before, Said
from .recent import MOST
from .stanzas import identity, said_at, stanza_id
from .state import Seat, StandInState


def take(s: StandInState, stanza: Element, payload: Payload, sender: JID, now: float) -> list[Act]:
    """Somebody has said something, or the room tells that he has."""
    stamp, id = said_at(stanza), stanza_id(stanza, s.room)
    mine = s.questions.heard(stanza.get("id", "")) if sender.resource == s.here else None
    is_new = s.recent.takes(identity(stanza, s.room)) or not (stamp or id)
    if not is_new:
        # A client that has said something again, since it did not know whether it was heard, must learn that it was.
        author = None if mine is None else mine[0]
        told = tuple(client for client, seat in s.attached.items() if seat.is_new or client == author)
        return s.to_some(payload, told)
    if not room_keeps(stanza) & ARCHIVE:
        return s.to_all(payload)
    s.since, s.last = max(s.since, min(stamp or now, now)), id or s.last
    # Of the history, those who will be told it by us need no copy.
    behind = [seat for seat in s.attached.values() if stamp and seat.limits is not None]
    clients = tuple(client for client, seat in s.attached.items() if seat not in behind)
    if stamp >= s.joined or not stamp:
        return [Said(payload, stanza, s.ready(payload, clients))]
    return _said_before(s, payload, stamp, behind)


def _said_before(s: StandInState, payload: Payload, stamp: float, behind: list[Seat]) -> list[Act]:
    """The room tells what was said before the account came: it is to be shown, and not in the archive."""
    payload.stamp = stamp
    for seat in behind:
        seat.before = [*seat.before[1 - MOST :], payload]
    if s.gathered is not None:
        s.gathered = [*s.gathered[1 - MOST :], payload]
    return s.to_some(payload, tuple(client for client, seat in s.attached.items() if seat.is_new))


def history_ends(s: StandInState) -> list[Act]:
    """Those who have entered with others are told theirs now."""
    gathered, s.gathered = s.gathered, None
    acts: list[Act] = [Before(tuple(gathered))] if gathered else []
    for client, seat in list(s.attached.items()):
        seat.is_new = False
        if seat.limits is not None:
            acts += entering.replay(s, client)
    return acts
