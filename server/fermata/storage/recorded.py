"""Who was in the rooms when the process before this one ended: read once, in bulk, before anything else happens."""

from collections.abc import Iterator

from sqlalchemy import Connection, delete, select

from ..host.stores import RecordedOccupancy
from ..xmpp.jid import JID
from .tables import entity, occupancy, ping_answer

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


def recorded(connection: Connection) -> Iterator[RecordedOccupancy]:
    """Every session that is in a room, room by room; of those that are in none, answers to pings are forgotten."""
    connection.execute(_STALE_ANSWERS)
    for number, room, session, *rest in connection.execute(_RECORDED):
        yield RecordedOccupancy(number, JID.parse(room), JID.parse(session), *rest)
