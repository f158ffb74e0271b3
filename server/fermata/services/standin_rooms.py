"""What rooms say to stand-ins, and what the guardian finds out about them (docs/design/0006)."""

from collections.abc import Iterable
from weakref import WeakValueDictionary

from ..core.guardian.guardian import Enter, Lost, Place, Turn
from ..core.standin import repair
from ..core.standin.acts import Doubt
from ..core.standin.standin import StandIn
from ..core.standin.stanzas import invited_to
from ..core.standin.state import Standing
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.federation import Pair
from ..host.iq import Addressee, IQTable, Request
from ..host.origin import Clock, Origin
from ..host.pipeline import guarded_route
from ..host.residents import Residents
from ..host.router import Router
from ..xmpp.element import Element, namespace
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import result_of
from . import standin_identity
from .messages import drop_forged_ids
from .standin_acts import Performer
from .standin_guard import Guard
from .standin_ledger import Holder, Ledger


class StandInRooms:
    """The side of stand-ins that rooms see; as software, they are called `name`, of that `version`."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Residents[Account],
        performer: Performer,
        iqs: IQTable,
        router: Router,
        relayed: Origin,
        clock: Clock,
        name: str,
        version: str,
    ) -> None:
        self._ledger, self._accounts, self._performer, self._iqs = ledger, accounts, performer, iqs
        self._router, self._relayed, self._clock = router, relayed, clock
        self._name, self._version = name, version
        self.guard: Guard
        self._read: tuple[Payload | None, Element] = (None, Element("none"))  # what was read last
        # Presences of others that are the same for several accounts are kept once.
        self._shared: WeakValueDictionary[str, Payload] = WeakValueDictionary()

    def stands_in(self, room: JID, session: JID) -> bool:
        """Whether that full JID is a stand-in that is in that room, as far as it knows."""
        found = self._ledger.find(session, room)
        return found is not None and found[1].state.standing is not Standing.OUT

    def pairs(self) -> Iterable[Pair]:
        """Domains here, and those of the rooms in which somebody stands."""
        served = self._router.serves
        for holder in self._ledger.holders.values():
            for room in holder.rooms:
                if not served(room.domain):
                    yield Pair(holder.jid.domain, room.domain)

    # -- from rooms

    def receive(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> bool:
        """A stanza has come for such a resource; False: it is for no stand-in, and treated as any other."""
        found = self._ledger.find(to, sender.bare)
        if found is None:
            return False
        holder, stand_in = found
        if stanza.tag == "iq":
            self._iq(holder, stand_in, stanza, to, sender, origin)
        else:
            payload = payload_of(stanza)
            if payload.kind == "presence" and not payload.type:
                payload = self._shared.setdefault(payload.rest, payload)
            self._heard(holder, stand_in, stanza, payload, sender)
        return True

    def deliver(self, payload: Payload, to: JID) -> bool:
        """The same for what a room here has made."""
        sender = JID.parse(payload.sender)
        found = self._ledger.find(to, sender.bare)
        if found is None:
            return False
        holder, stand_in = found
        if payload is not self._read[0]:  # a room tells the same to one account after the other
            self._read = payload, stanza_from(payload.addressed(to))
        stanza = self._read[1]
        if stanza.tag == "iq":
            self._iq(holder, stand_in, stanza, to, sender, self._relayed)
        else:
            self._heard(holder, stand_in, stanza, payload, sender)
        return True

    def invited(self, stanza: Element, to: JID, sender: JID) -> bool:
        """A message has come for an account: whether all it does is invite it to a room in which it is.

        If it is the room that invites, it may have lost sight of the account; a person who does is as good a reason to
        ask, once.
        """
        holder = self._ledger.holders.get(to)
        if holder is None:
            return False
        room = invited_to(stanza, sender)
        stand_in = None if room is None else holder.rooms.get(room)
        if stand_in is None or stand_in.state.standing in (Standing.OUT, Standing.REMOVED):
            return False
        if room == sender:
            self._heard(holder, stand_in, stanza, payload_of(stanza), sender)
        elif not stand_in.state.is_doubted:
            self._performer.perform(holder, stand_in, [Doubt()])
        return True

    def _heard(self, holder: Holder, stand_in: StandIn, stanza: Element, payload: Payload, sender: JID) -> None:
        if stanza.tag == "message" and drop_forged_ids(stanza, holder.jid, holder.me):
            payload = payload_of(stanza, payload.keep, payload.archive_id, payload.stamp)
        acts = stand_in.heard(stanza, payload, sender, self._clock.seconds())
        if stand_in.state.standing is Standing.IN and stanza.get("type") != "error":
            self.guard.heard(Place(holder.me, stand_in.state.room))
        self._performer.perform(holder, stand_in, acts)

    def _iq(self, holder: Holder, stand_in: StandIn, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        if stanza.get("type") in ("get", "set"):
            self._asked(stanza, to, sender, origin)
            return
        is_in = self.guard.answered(stanza, sender)
        if is_in is None:
            acts = stand_in.heard(stanza, payload_of(stanza), sender, self._clock.seconds())
        else:
            acts = stand_in.sure() if is_in else []
        self._performer.perform(holder, stand_in, acts)

    def _asked(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        if namespace(stanza[0]) in standin_identity.OF_ACCOUNT:
            self._ask_account(stanza, to, sender, origin)
        elif stanza.get("type") == "set":
            raise StanzaError("service-unavailable")
        else:
            payload = standin_identity.answer(stanza[0], self._name, self._version)
            origin.emit(0, None, origin.answer, result_of(stanza, payload))

    def _ask_account(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Only the account's own owner may change anything, and he does not ask like this."""
        settled = origin.hold()

        def loaded(account: Account | None) -> None:
            try:
                request = Request(stanza, stanza[0], sender, to, account, origin)
                self._iqs.answer(Addressee.ACCOUNT, request)
            except StanzaError as error:
                origin.refuse(stanza, error)
            settled()

        def failed(error: StanzaError) -> None:
            origin.refuse(stanza, error)
            settled()

        self._accounts.use(to.bare, loaded, failed)

    # -- the guardian

    def wanted(self, want: Enter | Lost | Turn) -> None:
        """The guardian lets somebody enter, or ask for what was missed; or it has given up."""
        found = self._ledger.find(want.place.who.bare, want.place.room)
        if found is None:
            self.guard.forget(want.place)
            return
        holder, stand_in = found
        if isinstance(want, Enter):
            nick = want.nick
            self._performer.recalled(holder, lambda: self._performer.perform(holder, stand_in, stand_in.again(nick)))
        elif isinstance(want, Turn):
            self._performer.perform(holder, stand_in, repair.turn(stand_in.state, self._clock.seconds()))
        else:
            self._performer.perform(holder, stand_in, stand_in.lost(want.condition))

    def ask(self, iq: Element, to: JID) -> None:
        """The guardian asks a room."""
        guarded_route(self._router, iq, to, JID.parse(iq.get("from", "")), self._relayed)

    def doubted(self, domain: str) -> None:
        """The server of these rooms is out of reach."""
        for holder in self._ledger.holders.values():
            for room, stand_in in holder.rooms.items():
                if room.domain == domain:
                    stand_in.state.doubted()
