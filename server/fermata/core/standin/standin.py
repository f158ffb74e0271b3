"""One occupant for one account in one room: told what happens on either side, it says what is to be done."""

from collections.abc import Callable, Sequence
from math import inf

from ...xmpp.element import E, Element
from ...xmpp.jid import JID
from ...xmpp.payload import Payload, payload_of
from . import availability, entering, from_client, from_room, repair
from .acts import Act, Answer, Forget, Save, ToRoom
from .stanzas import is_out, leaves
from .state import GRACE_SECONDS, Beside, Standing, StandInState, Wish


class StandIn:
    """Every method returns what is to be done, in order; times are Unix seconds."""

    __slots__ = ("state",)

    def __init__(self, me: JID, room: JID, new_id: Callable[[], str], extra: tuple[Element, ...] = ()) -> None:
        """`me` is the full JID that is in the room; `extra` goes into each presence; ids cannot be guessed."""
        self.state = StandInState(me, room, new_id, extra)

    # -- clients

    def enter(self, client: JID, presence: Element, to: JID, now: float) -> list[Act]:
        """A client wants to enter the room as `to`. Raises StanzaError."""
        return entering.enter(self.state, client, presence, to, now)

    def sent(self, client: JID, stanza: Element, to: JID, now: float) -> list[Act]:
        """A client that is attached or about to be sends something to the room or its people. Raises StanzaError.

        Of one that is in the room by itself, this is called with its presence, which goes to the room all the same.
        """
        if client in self.state.beside:
            return from_client.beside(self.state, client, stanza, to, now)
        if stanza.tag == "presence":
            return from_client.presence(self.state, client, stanza, to, now)
        if stanza.tag == "message":
            return from_client.message(self.state, client, stanza, to)
        return from_client.iq(self.state, client, stanza, to)

    def gone(self, client: JID, now: float) -> list[Act]:
        """A client's session is over: that is no leaving."""
        return from_client.gone(self.state, client, now)

    def replayed(self, client: JID, history: Sequence[Payload]) -> list[Act]:
        """What an act `Replay` has asked for was read."""
        return entering.replayed(self.state, client, history)

    # -- the room

    def heard(self, stanza: Element, payload: Payload, sender: JID, now: float) -> list[Act]:
        """The room or an occupant says something to this one; `payload` is the same, serialised."""
        if stanza.tag == "iq":
            return from_room.iq(self.state, stanza, sender, now)
        is_alive = stanza.get("type") != "error"
        if is_alive:
            self.state.is_doubted = False
        if stanza.tag == "presence":
            acts = from_room.presence(self.state, stanza, payload, sender, now)
        else:
            acts = from_room.message(self.state, stanza, payload, sender, now)
        s = self.state
        if is_alive and s.repair is not None:
            acts += repair.found_in(s)
        if s.pings and s.standing is Standing.IN and not s.is_doubted:
            acts += entering.answer_pings(s)
        return acts

    def recall(self, identities: Sequence[str], places: Sequence[int], last: str, since: float) -> None:
        """What the archive has of the room: identities of the newest messages and places of some more, oldest first.

        `last` is the newest stanza-id, and that message was said at `since`. Other than what is kept of the stand-in
        itself, that tells what has really been kept.
        """
        s = self.state
        is_news = s.repair is not None or s.recent.is_empty
        s.recent.recall(identities, places)
        if is_news and s.since and since >= s.joined:
            s.last, s.since = last, since

    # -- what is wished

    def wished(self, wish: Wish | None, now: float, is_news: bool = True, grace: float = 0.0) -> list[Act]:
        """The account wants to be in the room, or not any more; `is_news`: somebody has just said so.

        Where it does not, the stand-in leaves once there is no client, in `grace` seconds at the earliest.
        """
        s = self.state
        before, s.wish = s.wish, wish
        if wish is None:
            if s.standing is Standing.REMOVED:
                s.standing, s.why = Standing.OUT, ""
            if not s.is_wanted and not s.attached and not s.waiting and (is_news or s.leaves_at == inf):
                s.leaves_at = min(s.leaves_at, now + max(GRACE_SECONDS, grace))
            return [Save()] if before is not None or s.standing is Standing.OUT else []
        s.leaves_at = inf
        if s.standing is Standing.REMOVED and is_news:
            s.standing, s.why = Standing.OUT, ""
        is_renamed = before is not None and before.nick != wish.nick and s.here not in ("", wish.nick)
        if is_renamed and is_news and s.standing is Standing.IN:
            to = s.room.with_resource(wish.nick)
            return [ToRoom(E("presence", {"from": s.me, "to": to}, *availability.stated(s))), Save()]
        return [Save()] if wish != before else []

    def come(self, beside: Sequence[Beside] = ()) -> list[Act]:
        """It may enter now if it is wished; these clients are in the room by themselves."""
        return entering.come(self.state, beside)

    def leave(self, is_meant: bool) -> list[Act]:
        """The account is to leave the room; if somebody means just this room, until it is wished anew."""
        return from_client.leave(self.state, is_meant)

    def barred(self) -> list[Act]:
        """The account has blocked the room: it is out, until somebody wishes it anew."""
        s = self.state
        if s.standing in (Standing.OUT, Standing.REMOVED):
            return []
        told = [Answer(client, is_out(s.occupant)) for client in s.attached]
        acts: list[Act] = [ToRoom(leaves(s.me, s.occupant)), *told, *entering.dismiss(s)]
        s.standing, s.why, s.keeps = Standing.REMOVED, "blocked", False
        s.forget_said()
        return [*acts, Forget(), Save()]

    # -- the guardian

    def again(self, nick: str) -> list[Act]:
        """It is to enter, under this nickname."""
        return entering.again(self.state, nick)

    def lost(self, condition: str) -> list[Act]:
        """It can't get in: the room's last word was that error."""
        return entering.lost(self.state, condition)

    def sure(self) -> list[Act]:
        """It is in, as the room has said to the guardian."""
        s = self.state
        s.is_doubted = False
        acts = entering.answer_pings(s)
        if s.parked and s.standing is Standing.IN:
            parked, s.parked = s.parked, []
            acts += [ToRoom(message, client) for client, message in parked]
        if s.repair is not None:
            acts += repair.found_in(s)
        elif (s.attached or s.waiting) and not s.view.is_known and not s.view.is_being_told:
            acts += entering.resync(s)
        return acts

    # -- time

    def next_deadline(self) -> float:
        """When to call `tick`; infinity is never."""
        s = self.state
        asked = inf if s.repair is None else s.repair.deadline
        return min(s.leaves_at, s.tells_at, s.presence_at, s.shown_at, asked)

    def tick(self, now: float) -> list[Act]:
        """The time has come."""
        s = self.state
        if s.leaves_at <= now:
            return from_client.leave(s)
        acts: list[Act] = repair.tick(s, now)
        if s.tells_at <= now:
            s.tells_at = inf
            acts += [*s.to_all(payload_of(is_out(s.occupant, "332"))), *entering.dismiss(s), Save()]
        if s.shown_at <= now:
            s.shown_at = inf
            acts.append(Save())
        if s.presence_at <= now:
            s.presence_at = inf
            acts += availability.tell(s) if s.standing is Standing.IN else []
        return acts
