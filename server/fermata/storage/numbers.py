"""What is asked of a database before anything else: where the counters in memory begin, what is there already."""

from collections.abc import Collection
from itertools import islice
from typing import Final

from sqlalchemy import Connection, func, select

from . import tables
from .statements import ARCHIVE_FLOOR

_AT_ONCE: Final = 500


def highest_entity(connection: Connection) -> int:
    """The highest number that any entity, gone ones included, has had."""
    return connection.scalar(select(func.max(tables.entity.c.number))) or 0


def highest_archived(connection: Connection) -> int:
    """The highest number that any archived message has had."""
    meta = tables.meta
    floor = connection.scalar(select(meta.c.value).where(meta.c.key == ARCHIVE_FLOOR))
    return max(connection.scalar(select(func.max(tables.archive.c.seq))) or 0, int(floor or 0))


def highest_spooled(connection: Connection) -> int:
    """The highest number in the spool."""
    return connection.scalar(select(func.max(tables.spool.c.seq))) or 0


def archived_at(connection: Connection, seqs: Collection[int]) -> frozenset[int]:
    """Those of some numbers that an archived message has."""
    column, found = tables.archive.c.seq, set[int]()
    wanted = iter(seqs)
    while some := list(islice(wanted, _AT_ONCE)):
        found.update(connection.scalars(select(column).where(column.in_(some))))
    return frozenset(found)
