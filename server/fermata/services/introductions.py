"""Contacts who need not ask: those whom an account has invited (XEP-0379), and the guest and his host (XEP-0401)."""

from collections.abc import Callable

from ..host.accounts import Account
from ..host.origin import Origin
from ..host.residents import Residents, Spawn
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, child
from ..xmpp.jid import JID
from .invitations import Invitations
from .relayed import Relayed
from .subscriptions import Subscriptions

_PREAUTH = "{%s}preauth" % ns.PARS


class Introductions:
    """Subscribes people to each other."""

    def __init__(
        self,
        invitations: Invitations,
        accounts: Residents[Account],
        subscriptions: Subscriptions,
        relayed: Relayed,
        spawn: Spawn,
    ) -> None:
        self._invitations, self._accounts = invitations, accounts
        self._subscriptions, self._relayed, self._spawn = subscriptions, relayed, spawn

    async def introduce(self, one: JID, other: JID) -> None:
        """Makes two accounts of this server each other's contacts, if both are there."""
        await self._accounts.fetch(one)
        await self._accounts.fetch(other)
        accounts = self._accounts.get(one), self._accounts.get(other)
        if accounts[0] is None or accounts[1] is None:
            return
        for account, contact in ((accounts[0], other), (accounts[1], one)):
            self._send(account, contact, "subscribed")  # in advance
        for account, contact in ((accounts[0], other), (accounts[1], one)):
            self._send(account, contact, "subscribe")

    def requested(self, account: Account, stanza: Element, contact: JID, origin: Origin) -> bool:
        """A subscription request has come; True: it brings a token, and is dealt with here."""
        preauth = child(stanza, _PREAUTH)
        token = "" if preauth is None else preauth.get("token", "")
        if token:
            self._spawn(self._admit(account, stanza, contact, token, origin, origin.hold()))
        return bool(token)

    async def _admit(
        self, account: Account, stanza: Element, contact: JID, token: str, origin: Origin, settled: Callable[[], None]
    ) -> None:
        try:
            is_invited = await self._invitations.admits(account.jid, token)
            if is_invited:
                self._send(account, contact, "subscribed")
            self._subscriptions.perform(account, account.roster.receive(stanza, contact), stanza, origin)
            if is_invited:
                self._send(account, contact, "subscribe")
        finally:
            settled()

    def _send(self, account: Account, contact: JID, type: str) -> None:
        stanza = Element("presence", {"from": account.jid, "to": contact, "type": type})
        self._subscriptions.perform(account, account.roster.send(stanza, contact), stanza, self._relayed)
