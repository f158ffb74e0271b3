"""Bare JIDs that own things, and their numbers."""

from itertools import count

from sqlalchemy import bindparam, select

from ..xmpp.jid import JID
from .reader import Reader
from .tables import entity

_NUMBER_OF = select(entity.c.number).where(entity.c.jid == bindparam("jid"))


class SQLEntities:
    """The numbers of accounts and rooms. A number that is gone is never given again."""

    def __init__(self, reader: Reader, highest: int) -> None:
        self._reader = reader
        self._numbers = count(highest + 1)

    def new_number(self) -> int:
        """A number that no entity ever had."""
        return next(self._numbers)

    async def number_of(self, jid: JID) -> int | None:
        """The number of the account or room with that bare JID, if there is one."""
        for (number,) in await self._reader.rows(_NUMBER_OF, jid=jid):
            return int(number)
        return None
