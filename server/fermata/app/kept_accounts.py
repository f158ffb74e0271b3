"""Accounts in the database: made, given passwords and removed as steps of the one writer."""

import os
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from ..core.records import CredentialsSaved, EntityGone, EntityMade, Step
from ..core.sasl.credentials import HASHES, SALT_BYTES, ScramKeys, derive_keys
from ..host.stores import AccountStore, Entities
from ..xmpp.jid import JID
from .accounts_access import AccountsError

#: How often a new password is hashed (XEP-0438 §4 asks for 10000 at least).
ITERATIONS: Final = 10_000

Keys = list[ScramKeys]
DeriveKeys = Callable[[], Keys]


class AwaitedWriter(Protocol):
    """A writer that can be waited for."""

    def submit(self, step: Step) -> int:
        """Puts a step into the open batch."""

    async def settled(self) -> None:
        """Returns when everything that was submitted is committed, or has failed."""


class KeptAccounts:
    """What `accounts_access.RunningAccounts` asks for, as far as the database goes.

    `in_thread` runs the hashing, which takes milliseconds, wherever nobody has to wait for it.
    """

    def __init__(
        self,
        entities: Entities,
        accounts: AccountStore,
        writer: AwaitedWriter,
        in_thread: Callable[[DeriveKeys], Awaitable[Keys]],
    ) -> None:
        self._entities, self._accounts, self._writer, self._in_thread = entities, accounts, writer, in_thread

    async def create(self, jid: JID, password: str) -> None:
        """Makes an account. Raises AccountsError if it exists."""
        keys = await self._keys(password)
        if await self.exists(jid):  # asked after the long wait, for somebody else may have been faster
            raise AccountsError(f"{jid} is there already")
        number = self._entities.new_number()
        await self._keep(Step([EntityMade(number, jid, time.time()), *_credentials(number, keys)]))

    async def set_password(self, jid: JID, password: str) -> None:
        """Changes a password. Raises AccountsError if there is no such account."""
        number = await self._number(jid)
        keys = await self._keys(password)
        await self._keep(Step([*_credentials(number, keys)]))

    async def remove(self, jid: JID) -> None:
        """Removes an account with everything that it owns. Raises AccountsError if there is none."""
        await self._keep(Step([EntityGone(await self._number(jid))]))

    async def list(self, domain: str) -> list[str]:
        """The bare JIDs of a domain's accounts, in order."""
        return await self._accounts.accounts(domain)

    async def exists(self, jid: JID) -> bool:
        """Whether there is such an account."""
        return bool(await self._accounts.credentials(jid))

    async def _number(self, jid: JID) -> int:
        number = await self._entities.number_of(jid) if await self.exists(jid) else None
        if number is None:
            raise AccountsError(f"there is no account {jid}")
        return number

    async def _keys(self, password: str) -> Keys:
        salts = [os.urandom(SALT_BYTES) for _ in HASHES]
        return await self._in_thread(
            lambda: [derive_keys(password, hash, salt, ITERATIONS) for hash, salt in zip(HASHES, salts, strict=True)]
        )

    async def _keep(self, step: Step) -> None:
        self._writer.submit(step)
        await self._writer.settled()
        if step.error is not None:
            raise AccountsError(f"the database refused it: {step.error}")


def _credentials(number: int, keys: Keys) -> list[CredentialsSaved]:
    return [CredentialsSaved(number, *key) for key in keys]
