"""Who was in the rooms when the process before this one ended: read once, in bulk, before anything else happens."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, delete, select

from ..host.stores import RecordedOccupancy, StoodIn
from ..xmpp.jid import JID
from .tables import archive, entity, occupancy, ping_answer, value

_RECORDED = (
    select(
        occupancy.c.room,
        entity.c.jid,
        occupancy.c.jid,
        occupancy.c.nick,
        occupancy.c.wants_invite,
        ping_answer.c.stamp.is_not(None),
    )
    .join_from(occupancy, entity, entity.c.number == occupancy.c.room)
    .outerjoin(ping_answer, ping_answer.c.jid == occupancy.c.jid)
    .order_by(occupancy.c.room, occupancy.c.jid)
)
_STALE_ANSWERS = delete(ping_answer).where(ping_answer.c.jid.not_in(select(occupancy.c.jid)))

_STOOD_IN = (
    select(entity.c.number, entity.c.jid, value.c.key, value.c.value)
    .join_from(value, entity, entity.c.number == value.c.owner)
    .where(value.c.space == "stand-in")
)
_NEWEST: Final = (
    select(archive.c.seq, archive.c.stamp, archive.c.owner, entity.c.jid)
    .join_from(archive, entity, entity.c.number == archive.c.owner)
    .order_by(archive.c.seq.desc())
    .limit(5_000)
)
_LAST: Final = select(archive.c.stamp, archive.c.xml).order_by(archive.c.seq.desc()).limit(5_000)


def said_last(connection: Connection, seconds: float) -> dict[JID, tuple[int, int]]:
    """The archives to which something was added in the last seconds before the process ended.

    Of each: its number, and the place of the first of these messages.
    """
    found: dict[JID, tuple[int, int]] = {}
    newest = None
    for seq, stamp, number, jid in connection.execute(_NEWEST):
        newest = stamp if newest is None else newest
        if stamp < newest - seconds:
            break
        found[JID.parse(jid)] = number, seq
    return found


def written_last(connection: Connection, seconds: float) -> list[str]:
    """The messages that were archived in the last seconds before the process ended, oldest first, 5,000 at most."""
    rows = connection.execute(_LAST).all()
    return [xml for stamp, xml in reversed(rows) if stamp >= rows[0].stamp - seconds]


def recorded(connection: Connection) -> Iterator[RecordedOccupancy]:
    """Every session that is in a room, room by room; of those that are in none, answers to pings are forgotten."""
    connection.execute(_STALE_ANSWERS)
    for number, room, session, *rest in connection.execute(_RECORDED):
        yield RecordedOccupancy(number, JID.parse(room), JID.parse(session), *rest)


def stood_in(connection: Connection) -> Iterator[StoodIn]:
    """What accounts have saved of their places in rooms."""
    for number, jid, key, text in connection.execute(_STOOD_IN):
        yield StoodIn(number, JID.parse(jid), key, text)
