"""Archives of accounts and rooms, on one sequence."""

from itertools import count
from typing import Any

from sqlalchemy import BigInteger, Integer, Select, bindparam, or_, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from ..host.stores import ArchivedRow
from .archive_ids import ArchiveIDs
from .reader import Reader
from .tables import archive

_OWNER = bindparam("owner", type_=BigInteger())
_LIMIT = bindparam("limit", type_=Integer())


def _newest_where(*conditions: ColumnElement[bool]) -> Select[Any]:
    rows = select(archive).where(*conditions).order_by(archive.c.seq.desc()).limit(_LIMIT).subquery()
    return select(*(rows.c[field] for field in ArchivedRow._fields))


# Each half walks one index backwards and stops; a single condition with OR would sort the whole archive.
_BOTH = union_all(
    _newest_where(archive.c.owner == _OWNER),
    _newest_where(archive.c.other == _OWNER, archive.c.owner != _OWNER),
).subquery()
_NEWEST = select(_BOTH).order_by(_BOTH.c.seq.desc()).limit(_LIMIT)


_MESSAGE = select(*(archive.c[field] for field in ArchivedRow._fields)).where(
    archive.c.seq == bindparam("seq", type_=BigInteger()), or_(archive.c.owner == _OWNER, archive.c.other == _OWNER)
)


class SQLArchive:
    """Archives; see `archive_ids` for what names a message in one."""

    def __init__(self, reader: Reader, ids: ArchiveIDs, highest: int) -> None:
        self._reader = reader
        self._numbers = count(highest + 1)
        self.id_of = ids.id_of
        self.seq_of = ids.seq_of

    def new_seq(self) -> int:
        """The next number in the one sequence of all archives."""
        return next(self._numbers)

    async def message(self, seq: int, owner: int) -> ArchivedRow | None:
        """The message at that place of an archive, if there is one."""
        for row in await self._reader.rows(_MESSAGE, seq=seq, owner=owner):
            return ArchivedRow(*row)
        return None

    async def newest(self, owner: int, limit: int) -> list[ArchivedRow]:
        """The newest messages of an archive, oldest first."""
        rows = await self._reader.rows(_NEWEST, owner=owner, limit=limit)
        return [ArchivedRow(*row) for row in reversed(rows)]
