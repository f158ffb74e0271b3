"""Who sees an account come and go where it blocks, and blocks no more (XEP-0191 §3.3, §3.4)."""

from collections.abc import Iterable

from ..host.accounts import Account
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..host.sessions import Session
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.jid import JID
from ..xmpp.payload import payload_of
from .relayed import Relayed


class Visibility:
    """What `host.extension.Visibility` promises."""

    def __init__(self, router: Router, relayed: Relayed) -> None:
        self._router, self._relayed = router, relayed

    def hide(self, account: Account, contacts: Iterable[JID]) -> None:
        """These contacts and rooms, blocked now, see the account leave."""
        contacts = list(contacts)
        for session in list(account.sessions.values()):
            places, targets = [*session.directed.rooms.values()], session.directed.targets()
            for contact in contacts:
                if contact in places:
                    self._leave(session, contact)
                    _say_left(session, contact)
                elif contact in targets or _sees(contact, account, session):
                    self._leave(session, contact)

    def show(self, account: Account, contacts: Iterable[JID]) -> None:
        """These contacts, not blocked any more, see what they may see of the account."""
        contacts = list(contacts)
        for session in account.available():
            for contact in contacts:
                if session.presence is not None and _sees(contact, account, session):
                    self._router.deliver(payload_of(session.presence), contact)

    def _leave(self, session: Session, to: JID) -> None:
        gone = Element("presence", {"from": session.jid, "to": to, "type": "unavailable"})
        session.directed.sent(to, gone)
        guarded_route(self._router, gone, to, session.jid, self._relayed)


def _say_left(session: Session, place: JID) -> None:
    """Tells a client that it is not in the room any more, since the room's own word to that does not come through."""
    item = E("{%s}item" % ns.MUC_USER, {"affiliation": "none", "role": "none"})
    status = E("{%s}status" % ns.MUC_USER, {"code": "110"})
    presence = Element("presence", {"from": place, "type": "unavailable"})
    presence.append(E("{%s}x" % ns.MUC_USER, None, item, status))
    session.send(payload_of(presence), session.jid)


def _sees(contact: JID, account: Account, session: Session) -> bool:
    return session.priority is not None and account.roster.state(contact.bare).has_from
