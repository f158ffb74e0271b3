"""What the counters in memory begin with when a database is opened."""

from sqlalchemy import Connection, func, select

from . import tables
from .statements import ARCHIVE_FLOOR


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
