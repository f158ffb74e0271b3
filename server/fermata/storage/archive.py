"""Archives of accounts and rooms, on one sequence."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import count
from math import inf
from typing import Any, Final

from sqlalchemy import BigInteger, Select, bindparam, or_, select

from ..core.archive_answer import Ends
from ..core.archive_query import IDS_MAX, Selection
from ..host.stores import ArchivedRow
from . import archive_pages as pages
from .archive_ids import ArchiveIDs
from .reader import Reader, Row
from .tables import archive

_CLOCK_SLIP_SECONDS: Final = 3_600.0  # by which a clock may have been set back while messages came in
_EVERYTHING: Final = Selection(0, newest=True)
_MESSAGE = select(*(archive.c[field] for field in ArchivedRow._fields)).where(
    archive.c.seq == bindparam("seq", type_=BigInteger()),
    or_(archive.c.owner == pages.OWNER, archive.c.other == pages.OWNER),
)
_OLDEST = (
    select(archive.c.seq, archive.c.stamp)
    .where(archive.c.seq > bindparam("after", type_=BigInteger()))
    .order_by(archive.c.seq)
    .limit(pages.LIMIT)
)


class SQLArchive:
    """Archives; see `archive_ids` for what names a message in one."""

    def __init__(self, reader: Reader, ids: ArchiveIDs, highest: int, next_turn: Callable[[], Awaitable[None]]) -> None:
        """`next_turn` lets everything else that is due go first."""
        self._reader = reader
        self._numbers = count(highest + 1)
        self._next_turn = next_turn
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

    async def oldest(self, after: int, limit: int) -> list[tuple[int, float]]:
        """Place and time of the first messages behind a place, of all archives together, by place."""
        rows = await self._reader.rows(_OLDEST, after=after, limit=limit)
        return [(int(seq), float(stamp)) for seq, stamp in rows]

    async def newest(self, owner: int, limit: int) -> list[ArchivedRow]:
        """The newest messages of an archive, oldest first."""
        return await self.page(owner, _EVERYTHING, limit)

    async def page(self, owner: int, selection: Selection, limit: int) -> list[ArchivedRow]:
        """The first `limit` messages of a selection, the last ones if the newest are wanted; oldest first."""
        found: list[ArchivedRow] = []
        left: Selection | None = await self._narrowed(selection)
        while left is not None:
            is_quick = left.match is None and not left.without and left.start == -inf and left.end == inf
            part, left = (left, None) if is_quick else await self._parted(owner, left)
            rows = await self._rows(pages.page_statement(part), owner, part, limit - len(found))
            found += [ArchivedRow(*row) for row in rows]
            if len(found) >= limit:
                break
        if selection.newest:
            found.reverse()
        return found

    async def count(self, owner: int, selection: Selection) -> int:
        """How many messages a selection has."""
        total = 0
        left: Selection | None = await self._narrowed(selection)
        while left is not None:
            part, left = await self._parted(owner, left)
            ((number,),) = await self._rows(pages.count_statement(part), owner, part, 0)
            total += number
        return total

    async def held(self, owner: int, seqs: Collection[int]) -> frozenset[int]:
        """Those of some places where an archive has a message."""
        found: set[int] = set()
        asked = tuple(seqs)
        for first in range(0, len(asked), IDS_MAX):
            places = pages.places_of(asked[first : first + IDS_MAX])
            found.update(seq for (seq,) in await self._reader.rows(pages.HELD, owner=owner, **places))
        return frozenset(found)

    async def ends(self, owner: int) -> Ends | None:
        """The oldest and the newest message of an archive; None if it is empty."""
        ends = [
            (int(seq), float(stamp))
            for newest in (False, True)
            for seq, stamp in await self._reader.rows(pages.end_statement(newest), owner=owner, limit=1)
        ]
        return Ends(*ends) if len(ends) == 2 else None

    async def _rows(self, statement: Select[Any], owner: int, selection: Selection, limit: int) -> Sequence[Row]:
        return await self._reader.rows(statement, limit=limit, **pages.parameters_of(owner, selection))

    async def _parted(self, owner: int, selection: Selection) -> tuple[Selection, Selection | None]:
        """The first part of a selection, and the rest of it for a later turn, if there is a rest."""
        if selection.places is not None:
            return selection, None
        newest = selection.newest
        edge = await self._rows(pages.edge_statement(newest), owner, selection, pages.PART)
        if not edge:
            return selection, None
        await self._next_turn()
        seq = edge[0][0]
        if newest:
            return selection._replace(after=max(selection.after, seq - 1)), selection._replace(before=seq)
        return selection._replace(before=min(selection.before, seq + 1)), selection._replace(after=seq)

    async def _narrowed(self, selection: Selection) -> Selection:
        """A selection by time, as places: time goes on from message to message, or nearly so.

        A clock that is set back makes it step back, so an hour more on each side is looked at.
        """
        after, before = selection.after, selection.before
        if selection.start > -inf:
            after = max(after, await self._first_since(selection.start - _CLOCK_SLIP_SECONDS) - 1)
        if selection.end < inf:
            before = min(before, await self._first_since(selection.end + _CLOCK_SLIP_SECONDS))
        return selection._replace(after=after, before=before)

    async def _first_since(self, stamp: float) -> int:
        """The first place, in whichever archive, with a message not older than `stamp`."""
        ((highest,),) = await self._reader.rows(pages.HIGHEST)
        low, high = 1, (highest or 0) + 1
        while low < high:
            middle = (low + high) // 2
            ((seq, found),) = await self._reader.rows(pages.NEXT, place=middle)
            low, high = (low, middle) if found >= stamp else (seq + 1, high)
        return low
