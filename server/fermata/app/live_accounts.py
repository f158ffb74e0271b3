"""Accounts of the running server: as `KeptAccounts`, and what is in memory follows."""

from ..host.accounts import Account
from ..host.registry import Sessions
from ..host.residents import Residents
from ..xmpp.errors import StreamError
from ..xmpp.jid import JID
from .kept_accounts import KeptAccounts


class LiveAccounts:
    """See `accounts_access.RunningAccounts`."""

    def __init__(self, kept: KeptAccounts, accounts: Residents[Account], sessions: Sessions) -> None:
        self._kept, self._accounts, self._sessions = kept, accounts, sessions
        self.create = kept.create
        self.set_password = kept.set_password
        self.list = kept.list
        self.exists = kept.exists

    async def remove(self, jid: JID) -> None:
        """Ends the account's sessions, whose rooms and contacts are told, then removes it with all that it owns."""
        account = self._accounts.get(jid)
        for session in list(account.sessions.values()) if account is not None else ():
            self._sessions.end(session, error=StreamError("not-authorized", "the account was removed"))
        await self._kept.remove(jid)
        self._accounts.drop(jid)
