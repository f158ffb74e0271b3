"""Presence of accounts here: broadcast, directed, probed (RFC 6121 §4)."""

from collections.abc import Callable, Sequence
from typing import Final

from ..core.delivery import Undelivered, presence_recipients, presence_undelivered, without_account
from ..core.presence import Meaning, announce, answer_probe, meaning_of, priority_of
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.origin import Origin
from ..host.pipeline import guarded_route
from ..host.residents import Residents, Spawn
from ..host.router import Router
from ..host.sessions import Session
from ..xmpp.element import Element, copy_of
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import SUBSCRIPTION_TYPES
from .messages import Messages
from .relayed import Relayed
from .subscriptions import Subscriptions

_UNAVAILABLE: Final = "unavailable"
_AVAILABILITY: Final = ("", _UNAVAILABLE)


class Presences:
    """What the presence of our users' sessions causes, and what arrives for them."""

    def __init__(
        self,
        accounts: Residents[Account],
        messages: Messages,
        subscriptions: Subscriptions,
        router: Router,
        relayed: Relayed,
        spawn: Spawn,
    ) -> None:
        self._accounts, self._messages, self._subscriptions = accounts, messages, subscriptions
        self._router, self._relayed, self._spawn = router, relayed, spawn
        #: called with an account and a session of it that has become available and wants messages
        self.on_arrival: list[Callable[[Account, Session], None]] = []
        #: called with each subscription request; True: it has been dealt with
        self.on_request: Callable[[Account, Element, JID, Origin], bool] = _never
        #: called with an account that has no available session any more, and the presence that said so
        self.on_absence: list[Callable[[Account, Element], None]] = []
        #: called with each available presence of a session before it goes out, to add to it
        self.stamps: list[Callable[[Account, Element], None]] = []
        #: called with a session that has broadcast that it is available, and whether it was not before
        self.on_broadcast: list[Callable[[Account, Session, bool], None]] = []
        #: called with presence for an account or a session of it that says whether somebody is available
        self.on_contact: list[Callable[[Account, Element, JID], None]] = []
        #: called with a session that says that it is not available any more
        self.on_withdrawal: list[Callable[[Account, Session], None]] = []
        #: called with each directed presence of a session; True: it has been dealt with
        self.on_directed: Callable[[Account, Session, Element, JID], bool] = _nobody

    # -- from our sessions

    def sent(self, session: Session, stanza: Element, to: JID) -> None:
        """A session sends presence. Raises StanzaError."""
        account = self._accounts.get(session.jid.bare)
        if account is None:
            return
        meaning = meaning_of(stanza, session.priority is not None)
        if not stanza.get("type"):
            for stamp in self.stamps:
                stamp(account, stanza)
        if meaning is Meaning.SUBSCRIPTION:
            contact = to.bare
            self._subscriptions.perform(account, account.roster.send(stanza, contact), stanza, session)
        elif meaning is Meaning.DIRECTED:
            if self.on_directed(account, session, stanza, to):
                return
            session.directed.sent(to, stanza)
            self._router.route(stanza, to, session.jid, session)
        elif meaning is Meaning.UNAVAILABLE:
            self.withdraw(account, session, stanza)
            for told in self.on_withdrawal:
                told(account, session)
        else:
            priority = priority_of(stanza)
            before, session.priority, session.presence = session.priority, priority, stanza
            if session.trail is not None:
                session.trail.told()
            session.emit(0, None, self._announce, account, session, stanza, before, priority)

    def withdraw(self, account: Account, session: Session, stanza: Element | None, keeps_rooms: bool = False) -> None:
        """A session is not available any more (§4.5): by its own word `stanza`, or because it is over."""
        if stanza is None:
            stanza = Element("presence", {"from": session.jid, "type": _UNAVAILABLE})
        before, session.priority, session.presence = session.priority, None, None
        if before is not None and session.trail is not None:
            session.trail.told()
        session.emit(0, None, self._announce, account, session, stanza, before, None, keeps_rooms)

    def _announce(
        self,
        account: Account,
        session: Session,
        stanza: Element,
        before: int | None,
        now: int | None,
        keeps_rooms: bool = False,
    ) -> None:
        said = announce(before, now, account.roster, session.directed, keeps_rooms)
        payload, blocklist = payload_of(stanza), account.blocklist
        for contact in said.subscribers:
            if not (blocklist and blocklist.blocks(contact)):
                self._router.deliver(payload, contact)
        if before is not None or now is not None:
            _tell_own(account, session, payload, before is None)
        if before is not None and now is None and not session.is_over:
            session.send(payload, session.jid)
        for jid in said.directed:
            self._tell(session, stanza, jid)
        for contact in said.probes:
            if not (blocklist and blocklist.blocks(contact)):
                self._tell(session, Element("presence", {"type": "probe"}), contact)
        for request in said.requests:
            session.send(payload_of(stanza_from(request)), account.jid)
        if said.takes_spool:
            self._spawn(self._messages.deliver_spool(account, session))
            for told in self.on_arrival:
                told(account, session)
        self._let_know(account, session, stanza, before, now)

    def _let_know(
        self, account: Account, session: Session, stanza: Element, before: int | None, now: int | None
    ) -> None:
        if now is not None:
            for heard in self.on_broadcast:
                heard(account, session, before is None)
        elif before is not None and not account.available():
            for told in self.on_absence:
                told(account, stanza)

    def _tell(self, session: Session, stanza: Element, to: JID) -> None:
        stanza = copy_of(stanza)
        stanza.set("from", session.jid)
        stanza.set("to", to)
        guarded_route(self._router, stanza, to, session.jid, self._relayed)

    # -- for our accounts

    def receive(self, account: Account | None, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A presence for an account, or for one that does not exist."""
        type = stanza.get("type", "")
        if account is None:
            if without_account("presence", type) is Undelivered.UNSUBSCRIBED:
                refusal = Element("presence", {"from": to.bare, "to": sender.bare, "type": "unsubscribed"})
                guarded_route(self._router, refusal, sender.bare, to.bare, self._relayed)
            return
        if account.blocklist and account.blocklist.blocks(sender):
            return
        if type in _AVAILABILITY:
            for told in self.on_contact:
                told(account, stanza, sender)
        recipients = presence_recipients(type, to.resource, account.sessions)
        if recipients:
            origin.emit(0, None, _hand_out, recipients, stanza, to, sender)
        elif presence_undelivered(type) is Undelivered.ACCOUNT:
            if type == "subscribe" and self.on_request(account, stanza, sender.bare, origin):
                return
            if type in SUBSCRIPTION_TYPES:
                self._subscriptions.perform(account, account.roster.receive(stanza, sender.bare), stanza, origin)
            else:
                origin.emit(0, None, self._answer_probe, account, to, sender)

    def _answer_probe(self, account: Account, to: JID, prober: JID) -> None:
        may_see = prober.bare == account.jid or account.roster.state(prober.bare).has_from
        answer = answer_probe(prober, may_see, account.sessions.values())
        for session in answer.sessions:
            if session.presence is not None:
                self._router.deliver(payload_of(session.presence), prober)
        if answer.type:
            refusal = Element("presence", {"from": account.jid, "type": answer.type})
            self._router.deliver(payload_of(refusal), prober if answer.type == _UNAVAILABLE else prober.bare)


def _nobody(account: Account, session: Session, stanza: Element, to: JID) -> bool:
    return False


def _never(account: Account, stanza: Element, contact: JID, origin: Origin) -> bool:
    return False


def _tell_own(account: Account, session: Session, payload: Payload, is_new: bool) -> None:
    """The sessions of an account see each other, without any subscription (§4.2.2)."""
    for other in account.available():
        other.send(payload, other.jid)
        if is_new and other is not session and other.presence is not None:
            session.send(payload_of(other.presence), session.jid)


def _hand_out(recipients: Sequence[Session], stanza: Element, to: JID, sender: JID) -> None:
    payload = payload_of(stanza)
    for session in recipients:
        session.directed.heard(sender, stanza)
        session.send(payload, to)
