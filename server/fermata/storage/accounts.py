"""Accounts: which there are, and their SCRAM keys."""

from sqlalchemy import bindparam, select

from ..core.sasl.credentials import ScramKeys
from ..host.accounts import DISABLED
from ..xmpp.jid import JID
from .reader import Reader
from .tables import credential, entity, value

_CREDENTIALS = (
    select(
        credential.c.hash, credential.c.salt, credential.c.iterations, credential.c.stored_key, credential.c.server_key
    )
    .join(entity)
    .where(entity.c.jid == bindparam("jid"))
    .order_by(credential.c.hash)
)
_NUMBER = select(entity.c.number).where(
    entity.c.jid == bindparam("jid"), entity.c.number.in_(select(credential.c.account))
)
ACCOUNTS = (
    select(entity.c.jid)
    .where(entity.c.jid.endswith(bindparam("suffix")), entity.c.number.in_(select(credential.c.account)))
    .order_by(entity.c.jid)
)
_DISABLED = select(value.c.owner).where(value.c.space == DISABLED)
_DISABLED_ACCOUNTS = ACCOUNTS.where(entity.c.number.in_(_DISABLED))
_IS_DISABLED = _DISABLED.join_from(value, entity).where(entity.c.jid == bindparam("jid"))


class SQLAccounts:
    """Accounts are the entities that have credentials."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def credentials(self, jid: JID) -> list[ScramKeys]:
        """The SCRAM keys of an account, none if there is no such account."""
        return [ScramKeys(*row) for row in await self._reader.rows(_CREDENTIALS, jid=jid)]

    async def number(self, jid: JID) -> int | None:
        """The number of an account, if there is one."""
        for (number,) in await self._reader.rows(_NUMBER, jid=jid):
            return int(number)
        return None

    async def accounts(self, domain: str) -> list[str]:
        """The bare JIDs of a domain's accounts, in order."""
        return [jid for (jid,) in await self._reader.rows(ACCOUNTS, suffix=f"@{domain}")]

    async def disabled(self, domain: str) -> list[str]:
        """Those of them that nobody can log in to."""
        return [jid for (jid,) in await self._reader.rows(_DISABLED_ACCOUNTS, suffix=f"@{domain}")]

    async def is_disabled(self, jid: JID) -> bool:
        """Whether nobody can log in to that account."""
        return bool(await self._reader.rows(_IS_DISABLED, jid=jid))
