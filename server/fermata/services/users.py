"""Accounts as administrators and their owners manage them: one function for each deed, whoever asks for it.

The command line, ad-hoc commands (XEP-0133) and registration (XEP-0077) all come here.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from ..core.records import Record
from ..host.accounts import Account
from ..host.registry import Sessions
from ..host.residents import Residents, Spawn
from ..host.sessions import Session
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from .kept_accounts import KeptAccounts, check_password
from .relayed import Relayed
from .subscriptions import Subscriptions

_QUERY = "{%s}query" % ns.ROSTER
_ITEM = "{%s}item" % ns.ROSTER


class SessionFigures(NamedTuple):
    """A session, as an administrator sees it.

    `priority` is None while it is not available; `until` is when one that waits for its client ends (Unix seconds),
    None while it is connected; `queued` are the stanzas that its client has not got or not acknowledged.
    """

    jid: JID
    priority: int | None
    is_connected: bool
    rooms: int
    until: float | None
    queued: int


class Users:
    """The accounts of these domains. Everything raises StanzaError, whose text is for people."""

    def __init__(
        self,
        domains: Sequence[str],
        kept: KeptAccounts,
        accounts: Residents[Account],
        sessions: Sessions,
        subscriptions: Subscriptions,
        relayed: Relayed,
        spawn: Spawn,
    ) -> None:
        self._domains, self._kept, self._accounts, self._sessions = domains, kept, accounts, sessions
        self._subscriptions, self._relayed, self._spawn = subscriptions, relayed, spawn
        self.exists, self.registered, self.disabled = kept.exists, kept.list, kept.disabled
        #: called, and waited for, with each account that is about to be removed
        self.on_removal: list[Callable[[JID], Awaitable[None]]] = []

        #: called with each account that nobody can log in to any more
        self.on_disabling: list[Callable[[JID], None]] = []

    async def add(self, jid: JID, password: str, records: Iterable[Record] = ()) -> None:
        """Makes an account, and keeps these records with it or not at all.

        `conflict` if it is there already, `not-acceptable` for a password or a domain that cannot be.
        """
        if not jid.local or jid.resource or jid.domain not in self._domains:
            known = ", ".join(self._domains)
            raise StanzaError("not-acceptable", f"{jid.domain} is none of this server's domains ({known})")
        await self._kept.create(jid, password, records)

    async def set_password(self, jid: JID, password: str) -> None:
        """Changes a password. Sessions stay: who is logged in has shown the old one."""
        check_password(password)
        await self._kept.set_password(jid, password)

    async def disable(self, jid: JID) -> None:
        """Nobody can log in any more, and all sessions end; what arrives waits in the spool."""
        await self._kept.disable(jid)
        account = await self._accounts.fetch(jid)
        if account is not None:
            account.is_disabled = True
        self.end_sessions(jid, StreamError("not-authorized", "the account is disabled"))
        for told in self.on_disabling:
            told(jid)

    async def enable(self, jid: JID) -> None:
        """Its owner can log in again."""
        await self._kept.enable(jid)
        account = await self._accounts.fetch(jid)
        if account is not None:
            account.is_disabled = False

    async def remove(self, jid: JID) -> None:
        """Ends the account's sessions and subscriptions, tells its contacts and rooms, and removes all that it owns."""
        await self._kept.number(jid)
        account = await self._accounts.fetch(jid)
        if account is not None:
            account.is_disabled = True
        try:
            self.end_sessions(jid, StreamError("not-authorized", "the account was removed"))
            for told in self.on_removal:
                await told(jid)
            # By now its contacts have seen it leave: after the next line they are no contacts any more.
            await self._kept.settled()
            if account is not None:
                self._cancel_subscriptions(account)
            await self._kept.remove(jid)
        finally:
            # If it could not be removed, it is loaded again as it is on disk.
            self._accounts.drop(jid)

    async def condemn(self, jid: JID) -> None:
        """The account will be removed, whatever happens: by `remove_soon`, or by the next start of the server."""
        await self._kept.condemn(jid)

    def remove_soon(self, jid: JID) -> None:
        """Removes an account, for somebody who can't wait until that is done."""
        self._spawn(self.remove(jid))

    async def finish_removals(self) -> None:
        """Removes what was condemned before the server stopped; to be called once, when everything is joined."""
        for domain in self._domains:
            for account in map(JID.parse, await self.disabled(domain)):
                if await self._kept.is_condemned(account):
                    await self.remove(account)

    def _cancel_subscriptions(self, account: Account) -> None:
        """Both ways, as if each contact was taken out of the roster (RFC 6121 §2.5.2)."""
        roster = account.roster
        for contact in roster.contacts:
            item = E(_ITEM, {"jid": contact, "subscription": "remove"})
            change = roster.set_item(E(_QUERY, None, item))
            self._subscriptions.perform(account, change, Element("iq"), self._relayed)
        for stranger in list(roster.requests):
            refusal = Element("presence", {"from": account.jid, "to": stranger, "type": "unsubscribed"})
            self._subscriptions.perform(account, roster.send(refusal, stranger), refusal, self._relayed)

    # -- sessions

    def sessions(self) -> list[SessionFigures]:
        """All sessions there are, by JID."""
        return sorted(_figures(session, self._sessions.until(session.jid)) for session in self._sessions)

    def end_sessions(self, jid: JID, error: StreamError | None = None) -> int:
        """Ends the session with that full JID, or all of an account; how many there were."""
        account = self._accounts.get(jid.bare)
        if account is None:
            return 0
        ended = [session for session in account.sessions.values() if jid in (session.jid, account.jid)]
        for session in ended:
            self._sessions.end(session, error=error or StreamError("policy-violation", "an administrator ended it"))
        return len(ended)

    def online(self, domain: str) -> list[str]:
        """The accounts of a domain that have an available session."""
        return sorted(account.jid for account in self._accounts if account.jid.domain == domain and _is_online(account))


def _is_online(account: Account) -> bool:
    return bool(account.available())


def _figures(session: Session, until: float | None) -> SessionFigures:
    return SessionFigures(
        session.jid,
        session.priority,
        session.link is not None,
        len(session.directed.rooms),
        until if session.link is None else None,
        sum(session.queued),
    )
