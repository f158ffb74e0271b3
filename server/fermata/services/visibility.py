"""Who sees an account come and go where it blocks, and blocks no more (XEP-0191 §3.3, §3.4)."""

from collections.abc import Iterable

from ..host.accounts import Account
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..host.sessions import Session
from ..xmpp.element import Element
from ..xmpp.jid import JID
from ..xmpp.payload import payload_of
from .relayed import Relayed


class Visibility:
    """What `host.extension.Visibility` promises."""

    def __init__(self, router: Router, relayed: Relayed) -> None:
        self._router, self._relayed = router, relayed

    def hide(self, account: Account, contacts: Iterable[JID]) -> None:
        """These contacts, blocked now, see the account leave; so does every room that is blocked."""
        contacts = list(contacts)
        for session in account.sessions.values():
            directed = session.directed
            for contact in contacts:
                if _sees(contact, account, session) or contact in directed.contacts:
                    self._leave(session, contact)
                directed.contacts.pop(contact, None)
            for room, occupant in list(directed.rooms.items()):
                if account.blocklist.blocks(room):
                    self._leave(session, occupant)
                    directed.left(room)

    def show(self, account: Account, contacts: Iterable[JID]) -> None:
        """These contacts, not blocked any more, see what they may see of the account."""
        contacts = list(contacts)
        for session in account.available():
            for contact in contacts:
                if session.presence is not None and _sees(contact, account, session):
                    self._router.deliver(payload_of(session.presence), contact)

    def _leave(self, session: Session, to: JID) -> None:
        gone = Element("presence", {"from": session.jid, "to": to, "type": "unavailable"})
        guarded_route(self._router, gone, to, session.jid, self._relayed)


def _sees(contact: JID, account: Account, session: Session) -> bool:
    return session.priority is not None and account.roster.state(contact.bare).has_from
