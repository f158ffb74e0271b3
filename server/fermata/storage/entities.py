"""Bare JIDs that own things, and their numbers."""

from itertools import count

from sqlalchemy import bindparam, select

from ..core.records import EntityMade, Step
from ..host.stores import Writer
from ..xmpp.jid import JID
from .reader import Reader
from .tables import entity

_NUMBER_OF = select(entity.c.number).where(entity.c.jid == bindparam("jid"))


class SQLEntities:
    """The numbers of accounts, rooms and domains. A number that is gone is never given again."""

    def __init__(self, reader: Reader, writer: Writer, highest: int) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = count(highest + 1)
        self._of_domains: dict[JID, int] = {}

    def new_number(self) -> int:
        """A number that no entity ever had."""
        return next(self._numbers)

    async def number_of(self, jid: JID) -> int | None:
        """The number of the account, room or domain with that bare JID, if there is one."""
        for (number,) in await self._reader.rows(_NUMBER_OF, jid=jid):
            return int(number)
        return None

    async def number_for(self, domain: JID, now: float) -> int:
        """The number of a domain; one that has none gets it, and keeps it. `now` is in Unix seconds."""
        known = self._of_domains
        if domain not in known:
            number = await self.number_of(domain)
            # Who asked at the same time may have made it; from here on nobody else does before this is through.
            if domain not in known:
                if number is None:
                    number = self.new_number()
                    self._writer.submit(Step([EntityMade(number, domain, now)]))
                known[domain] = number
        return known[domain]
