"""A domain with accounts: what its stanzas are for, the server itself or an account (RFC 6121 §8)."""

from collections.abc import Callable

from ..core.delivery import Undelivered, iq_undelivered, presence_recipients, without_account
from ..core.stored_xml import stanza_from
from ..host.accounts import Account
from ..host.iq import Addressee, IQTable, Request
from ..host.origin import Origin
from ..host.pipeline import guarded, guarded_route
from ..host.registry import RESERVED
from ..host.residents import Residents
from ..host.router import Router
from ..host.sessions import Session
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from .messages import Messages
from .presence import Presences
from .questions import Questions
from .relayed import Relayed
from .strangers import Strangers

TakeStanza = Callable[[Element, JID, JID, Origin], bool]
TakePayload = Callable[[Payload, JID], bool]
_Act = Callable[[Account | None, Element, JID, JID, Origin], None]


class LocalDomain:
    """Answers for one domain (see host.router.Destination)."""

    def __init__(
        self,
        accounts: Residents[Account],
        messages: Messages,
        presences: Presences,
        iqs: IQTable,
        router: Router,
        relayed: Relayed,
        strangers: Strangers,
        questions: Questions,
    ) -> None:
        self._accounts, self._messages, self._presences = accounts, messages, presences
        self._strangers, self._questions = strangers, questions
        self._iqs, self._router, self._relayed = iqs, router, relayed
        #: take what is for a resource of the server's own, unless they return False
        self.stands_in: TakeStanza = _nobody
        self.stands_in_for: TakePayload = _nobody_here
        #: takes a message to an account that invites it to where it is already, unless it returns False
        self.invited: Callable[[Element, JID, JID], bool] = _uninvited

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A message to an account; the server itself reads none."""
        if not to.local:
            raise StanzaError("service-unavailable")
        if to.resource.startswith(RESERVED) and self.stands_in(stanza, to, sender, origin):
            return
        if not to.resource and self.invited(stanza, to, sender):
            return
        is_limited = self._strangers.limits_messages and origin is not self._relayed
        act = self._message if is_limited else self._messages.receive
        self._with_account(act, stanza, to, sender, origin)

    def _message(self, account: Account | None, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        if account is not None:
            self._strangers.message(account, stanza, sender)
        self._messages.receive(account, stanza, to, sender, origin)

    def presence(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """A presence to an account; the server itself has no contacts."""
        if to.resource.startswith(RESERVED) and self.stands_in(stanza, to, sender, origin):
            return
        if to.local:
            is_limited = self._strangers.limits_requests and stanza.get("type") == "subscribe"
            act = self._request if is_limited and origin is not self._relayed else self._presences.receive
            self._with_account(act, stanza, to, sender, origin)

    def _request(self, account: Account | None, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        if account is not None:
            self._strangers.request(account, sender)
        self._presences.receive(account, stanza, to, sender, origin)

    def iq(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """An iq to the server, to an account or to one of its sessions."""
        type = stanza.get("type", "")
        if to.resource.startswith(RESERVED) and self.stands_in(stanza, to, sender, origin):
            return
        if to.local:
            self._with_account(self._iq, stanza, to, sender, origin)
        elif type in ("get", "set"):
            if to.resource:
                raise StanzaError("service-unavailable")
            self._iqs.answer(Addressee.SERVER, Request(stanza, stanza[0], sender, to, None, origin))

    def _iq(self, account: Account | None, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        type = stanza.get("type", "")
        if account is None:
            if without_account("iq", type) is Undelivered.REFUSE:
                raise StanzaError("service-unavailable")
            return
        if account.blocklist and account.blocklist.blocks(sender):
            if type in ("get", "set"):
                raise StanzaError("service-unavailable")
            return
        session = account.sessions.get(to.resource) if to.resource else None
        if session is not None:
            origin.emit(0, None, _hand_over, session, payload_of(stanza), to, stanza, origin)
            return
        fate = iq_undelivered(type, to.resource)
        if fate is Undelivered.REFUSE:
            raise StanzaError("service-unavailable")
        if fate is Undelivered.ACCOUNT and type in ("get", "set"):
            addressee = Addressee.SELF if sender.bare == account.jid else Addressee.ACCOUNT
            self._iqs.answer(addressee, Request(stanza, stanza[0], sender, to, account, origin))
        elif fate is Undelivered.ACCOUNT:
            self._questions.answered(stanza, to, sender)

    def deliver(self, payload: Payload, to: JID) -> None:
        """A stanza that was made here: presence of a contact, or what a room says to somebody without a session."""
        if to.resource.startswith(RESERVED) and self.stands_in_for(payload, to):
            return
        account = self._accounts.get(to.bare)
        if payload.kind == "presence":
            if account is not None and not (account.blocklist and account.blocklist.blocks(JID.parse(payload.sender))):
                for session in presence_recipients(payload.type, to.resource, account.sessions):
                    session.send(payload, to)
            return
        stanza = stanza_from(payload.addressed(to))
        guarded_route(self._router, stanza, to, JID.parse(payload.sender), self._relayed)

    def _with_account(self, act: _Act, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Acts with the account in memory; while it is being loaded, what is for it waits in line."""
        account = self._accounts.get(to.bare)
        if account is not None:
            act(account, stanza, to, sender, origin)
            return
        settled = origin.hold()

        def loaded(account: Account | None) -> None:
            guarded(stanza, sender, origin, lambda: act(account, stanza, to, sender, origin))
            settled()

        def failed(error: StanzaError) -> None:
            origin.refuse(stanza, error)
            settled()

        self._accounts.use(to.bare, loaded, failed)


def _nobody(stanza: Element, to: JID, sender: JID, origin: Origin) -> bool:
    return False


def _nobody_here(payload: Payload, to: JID) -> bool:
    return False


def _uninvited(stanza: Element, to: JID, sender: JID) -> bool:
    return False


def _hand_over(session: Session, payload: Payload, to: JID, iq: Element, origin: Origin) -> None:
    if not session.is_over:
        session.send(payload, to)
    elif payload.type in ("get", "set"):  # its session has ended while it waited for what came before it
        origin.refuse(iq, StanzaError("service-unavailable"))
