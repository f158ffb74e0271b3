"""What a change of the roster entails: subscriptions, and who sees whom because of them (RFC 6121 §2, §3)."""

from collections.abc import Callable, Iterable
from typing import Final

from ..core.records import Step
from ..core.roster import Change
from ..host.accounts import Account
from ..host.origin import Origin
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..host.sessions import Session
from ..host.stores import Writer
from ..xmpp.element import Element
from ..xmpp.jid import JID
from ..xmpp.payload import payload_of

_UNAVAILABLE: Final = "unavailable"


class Subscriptions:
    """Keeps changes of rosters, then carries them out."""

    def __init__(self, router: Router, writer: Writer) -> None:
        self._router, self._writer = router, writer
        #: called with an account and a contact that gets its presence from now on
        self.on_granted: list[Callable[[Account, JID], None]] = []

    def perform(self, account: Account, change: Change, stanza: Element, origin: Origin) -> Step:
        """Keeps a change that a stanza has made, and carries it out, in the order of its origin, once it is durable.

        What goes on to the contact is routed at once: both rosters change in one batch, and nothing that the origin
        sends later can overtake it (RFC 6120 §10.1).
        """
        step = Step(change.records, stanza, account.lineage)
        ticket = self._writer.submit(step) if change.records else 0
        origin.emit(ticket, step, self._withdraw, account, change)
        for onward in change.stanzas:
            guarded_route(self._router, onward, change.contact, account.jid, origin)
        origin.emit(ticket, step, self._carry_out, account, change)
        return step

    def _carry_out(self, account: Account, change: Change) -> None:
        if change.available:
            for session in account.available():
                if session.presence is not None:
                    self._router.deliver(payload_of(session.presence), change.contact)
            for told in self.on_granted:
                told(account, change.contact)
        if change.to_available is not None:
            _tell(account.available(), account.jid, change.to_available)
        if change.to_interested is not None:
            _tell(_interested(account.sessions.values()), account.jid, change.to_interested)
        if change.push is not None:
            push(account.sessions.values(), account.jid, change.push)

    def _withdraw(self, account: Account, change: Change) -> None:
        if change.unavailable:
            for session in account.available():
                gone = Element("presence", {"from": session.jid, "type": _UNAVAILABLE})
                self._router.deliver(payload_of(gone), change.contact)


def push(sessions: Iterable[Session], account: JID, query: Element) -> None:
    """A roster push to every one of these sessions that asked for the roster (§2.1.6)."""
    for session in _interested(sessions):
        stanza = Element("iq", {"type": "set", "id": session.new_id(), "from": account})
        stanza.append(query)
        session.send(payload_of(stanza), session.jid)


def _interested(sessions: Iterable[Session]) -> list[Session]:
    return [session for session in sessions if session.wants_roster]


def _tell(sessions: Iterable[Session], account: JID, stanza: Element) -> None:
    payload = payload_of(stanza)
    for session in sessions:
        session.send(payload, account)
