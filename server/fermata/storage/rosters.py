"""Rosters and unanswered subscription requests."""

import json

from sqlalchemy import bindparam, select

from ..core.roster_item import RosterItem
from .reader import Reader
from .tables import request, roster_item

_ROSTER = select(
    roster_item.c.jid,
    roster_item.c.name,
    roster_item.c.subscription,
    roster_item.c.ask,
    roster_item.c.approved,
    roster_item.c.groups,
    roster_item.c.version,
).where(roster_item.c.account == bindparam("account"))
_REQUESTS = select(request.c.jid, request.c.xml).where(request.c.account == bindparam("account"))


class SQLRosters:
    """Rosters, with the tombstones that roster versioning needs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def roster(self, account: int) -> list[RosterItem]:
        """Every item of a roster, tombstones included."""
        rows = await self._reader.rows(_ROSTER, account=account)
        return [
            RosterItem(jid, name, subscription, ask, approved, tuple(json.loads(groups)), version)
            for jid, name, subscription, ask, approved, groups, version in rows
        ]

    async def requests(self, account: int) -> dict[str, str]:
        """The unanswered subscription requests: bare JID of who asks → presence XML."""
        return dict(await self._reader.rows(_REQUESTS, account=account))
