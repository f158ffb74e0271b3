"""Accounts in the database: made, given passwords, disabled and removed as steps of the one writer."""

import os
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final, Protocol, TypeVar

from ..core.records import CredentialsSaved, EntityGone, EntityMade, Record, ValueRemoved, ValueSaved
from ..core.sasl.credentials import HASHES, SALT_BYTES, ScramKeys, derive_keys, prepare_password
from ..host.accounts import DISABLED
from ..host.origin import Clock
from ..host.stores import AccountStore, Entities, SettledWriter, ValueStore
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .durable import keep

#: How often a new password is hashed (XEP-0438 §4 asks for 10000 at least).
ITERATIONS: Final = 10_000
_CONDEMNED: Final = "to be removed"  #: what is kept of a disabled account that will not come back

T = TypeVar("T")


class InThread(Protocol):
    """Runs slow work beside the reactor."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]:
        """What `work` returns, once it has."""


class KeptAccounts:
    """Accounts, as far as the database goes; each method that changes one returns when that is durable.

    They raise StanzaError, whose text is for people: `conflict` for an account that is there already, `item-not-found`
    for one that is not, `not-acceptable` for what can be no password, `internal-server-error` if it can't be kept.
    """

    def __init__(
        self,
        entities: Entities,
        accounts: AccountStore,
        values: ValueStore,
        writer: SettledWriter,
        clock: Clock,
        in_thread: InThread,
    ) -> None:
        self._entities, self._accounts, self._values = entities, accounts, values
        self._clock, self._in_thread = clock, in_thread
        self._keep = partial(keep, writer)
        self.settled = writer.settled  #: returns when everything that was submitted is durable
        self.list = accounts.accounts  #: the bare JIDs of a domain's accounts, in order
        self.disabled = accounts.disabled  #: those of them that nobody can log in to

    async def create(self, jid: JID, password: str, records: Iterable[Record] = ()) -> None:
        """Makes an account, and keeps these records with it or not at all."""
        keys = await self._keys(password)
        if await self.exists(jid):  # asked after the long wait, for somebody else may have been faster
            raise StanzaError("conflict", f"{jid} is there already")
        number = self._entities.new_number()
        await self._keep([EntityMade(number, jid, self._clock.seconds()), *_credentials(number, keys), *records])

    async def set_password(self, jid: JID, password: str) -> None:
        """Changes a password."""
        number = await self.number(jid)
        keys = await self._keys(password)
        await self._keep(_credentials(number, keys))

    async def remove(self, jid: JID) -> None:
        """Removes an account with everything that it owns."""
        await self._keep([EntityGone(await self.number(jid))])

    async def disable(self, jid: JID) -> None:
        """Nobody can log in to the account from now on."""
        await self._keep([ValueSaved(await self.number(jid), DISABLED, "", "")])

    async def enable(self, jid: JID) -> None:
        """Its owner can log in again."""
        await self._keep([ValueRemoved(await self.number(jid), DISABLED, "")])

    async def condemn(self, jid: JID) -> None:
        """Nobody can log in any more, because the account is about to be removed."""
        await self._keep([ValueSaved(await self.number(jid), DISABLED, "", _CONDEMNED)])

    async def is_condemned(self, jid: JID) -> bool:
        """Whether it is about to be removed."""
        return await self._values.value(await self.number(jid), DISABLED, "") == _CONDEMNED

    async def exists(self, jid: JID) -> bool:
        """Whether there is such an account."""
        return await self._accounts.number(jid) is not None

    async def number(self, jid: JID) -> int:
        """The number of an account."""
        number = await self._accounts.number(jid)
        if number is None:
            raise StanzaError("item-not-found", f"there is no account {jid}")
        return number

    async def _keys(self, password: str) -> list[ScramKeys]:
        check_password(password)
        salts = [os.urandom(SALT_BYTES) for _ in HASHES]
        return await self._in_thread(
            lambda: [derive_keys(password, hash, salt, ITERATIONS) for hash, salt in zip(HASHES, salts, strict=True)]
        )


def check_password(password: str) -> None:
    """Raises StanzaError `not-acceptable` for what can be no password (RFC 4013, RFC 8265)."""
    if not password:
        raise StanzaError("not-acceptable", "the password is empty")
    try:
        prepare_password(password)
    except ValueError:
        raise StanzaError("not-acceptable", "the password has characters that a password may not have") from None


def _credentials(number: int, keys: list[ScramKeys]) -> list[CredentialsSaved]:
    return [CredentialsSaved(number, *key) for key in keys]
