"""Messages that wait for their recipient (XEP-0160)."""

from itertools import count

from sqlalchemy import bindparam, func, select

from ..core.records import MessageSpooled
from .reader import Reader
from .tables import spool

_SPOOLED = (
    select(spool.c.account, spool.c.seq, spool.c.stamp, spool.c.xml)
    .where(spool.c.account == bindparam("account"))
    .order_by(spool.c.seq)
)
_SIZES = select(spool.c.seq, func.length(spool.c.xml)).where(spool.c.account == bindparam("account"))


class SQLSpool:
    """The spool of every account, on one sequence."""

    def __init__(self, reader: Reader, highest: int) -> None:
        self._reader = reader
        self._numbers = count(highest + 1)

    def new_seq(self) -> int:
        """The next number in the spool."""
        return next(self._numbers)

    async def sizes(self, account: int) -> dict[int, int]:
        """How many characters each message has that waits for an account, by its number."""
        return dict(await self._reader.rows(_SIZES, account=account))

    async def spooled(self, account: int) -> list[MessageSpooled]:
        """What waits for an account, oldest first."""
        return [MessageSpooled(*row) for row in await self._reader.rows(_SPOOLED, account=account)]
