"""How far stream-management sessions got (XEP-0198)."""

from sqlalchemy import bindparam, select

from .reader import Reader
from .tables import handled

_HANDLED = select(handled.c.h).where(handled.c.sm_id == bindparam("sm_id"), handled.c.account == bindparam("account"))


class SQLHandled:
    """The last committed `h` of each session that did not end in order."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def handled(self, sm_id: str, account: int) -> int | None:
        """The last `h` that was committed for a session of that account."""
        for (h,) in await self._reader.rows(_HANDLED, sm_id=sm_id, account=account):
            return int(h)
        return None
