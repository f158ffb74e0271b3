"""Contacts on other servers: which of their clients are there, and what these want to hear of (XEP-0060 §8.2)."""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from ..core.pubsub.capabilities import NONE, Caps, caps_of
from ..host.accounts import Account
from ..host.pipeline import guarded_route
from ..host.router import Router
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .capabilities import Capabilities
from .relayed import Relayed

_RESOURCES_MAX: Final = 20  #: of one contact, that are remembered for one account


class _Client:
    __slots__ = ("caps", "interests")

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self.interests: frozenset[str] | None = None


class ContactsElsewhere:
    """What accounts here know by the presence that they get; `domains` are ours.

    `on_interest(account, client, interests)` is called when a client wants to hear of more than before.
    """

    def __init__(self, domains: Collection[str], capabilities: Capabilities, router: Router, relayed: Relayed) -> None:
        self._domains, self._capabilities = domains, capabilities
        self._router, self._relayed = router, relayed
        self._clients: dict[tuple[JID, JID], dict[JID, _Client]] = {}  # by account and contact, both bare
        self._looked: set[JID] = set()
        self.on_interest: Callable[[JID, JID, frozenset[str]], None]

    def received(self, account: Account, stanza: Element, sender: JID) -> None:
        """Presence of type unavailable, or none, has come for an account."""
        if sender.domain in self._domains or not account.roster.state(sender.bare).has_from:
            return
        key = (account.jid, sender.bare)
        if stanza.get("type"):
            self._forget(key, sender)
            return
        caps = caps_of(stanza)
        if caps is None:
            return
        clients = self._clients.setdefault(key, {})
        old = clients.get(sender)
        if old is not None and old.caps == caps:
            return
        if old is None and len(clients) >= _RESOURCES_MAX:
            clients.pop(next(iter(clients)))
        client = clients[sender] = _Client(caps)
        before = NONE if old is None else old.interests or NONE

        def learnt(interests: frozenset[str]) -> None:
            if self._clients.get(key, {}).get(sender) is client:
                client.interests = interests
                self.on_interest(account.jid, sender, interests - before)

        self._capabilities.learn(caps, sender, account.jid, learnt)

    def _forget(self, key: tuple[JID, JID], client: JID) -> None:
        clients = self._clients.get(key, {})
        clients.pop(client, None)
        if not clients:
            self._clients.pop(key, None)

    def of(self, account: JID, contact: JID) -> Iterator[tuple[JID, frozenset[str]]]:
        """The clients of a contact (bare JID) that want to hear of something, and of what."""
        for jid, client in list(self._clients.get((account, contact), {}).items()):
            if client.interests:
                yield jid, client.interests

    def has_looked(self, account: JID) -> None:
        """One of the account's sessions has asked its contacts whether they are there, as it came."""
        self._looked.add(account)

    def look(self, account: Account) -> None:
        """Asks contacts whether they are there, if nobody has since this process began: sessions may be older."""
        if account.jid in self._looked:
            return
        self._looked.add(account.jid)
        for contact in account.roster.subscriptions:
            if contact.domain not in self._domains and account.roster.state(contact).has_from:
                probe = Element("presence", {"type": "probe", "from": account.jid, "to": contact})
                guarded_route(self._router, probe, contact, account.jid, self._relayed)
