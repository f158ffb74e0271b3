"""Rooms, their affiliations, who is in them, and their journal."""

from sqlalchemy import bindparam, exists, func, select

from ..core.records import InviteOwed, Journalled, OccupancySaved, PushSaved
from ..host.stores import AffiliationRow, RoomRow
from ..xmpp.jid import JID
from .reader import Reader
from .tables import affiliation, entity, invite, journal, occupancy, push, room

_ROOMS = select(
    entity.c.number,
    entity.c.jid,
    room.c.config,
    room.c.subject,
    room.c.subject_by,
    room.c.subject_stamp,
    room.c.secret,
    room.c.locked,
).join_from(entity, room)
_ROOM = _ROOMS.where(entity.c.jid == bindparam("jid"))
_ROOMS_OF_SERVICE = _ROOMS.where(entity.c.jid.endswith(bindparam("suffix"))).order_by(entity.c.jid)
_AFFILIATIONS = (
    select(affiliation.c.jid, affiliation.c.affiliation, affiliation.c.nick, affiliation.c.reason)
    .where(affiliation.c.room == bindparam("room"))
    .order_by(affiliation.c.jid)
)
_ROOMS_OF = (
    select(entity.c.jid)
    .join_from(affiliation, entity, entity.c.number == affiliation.c.room)
    .where(affiliation.c.jid == bindparam("jid"))
    .order_by(entity.c.jid)
)
_PUSHED_ROOMS_OF = (
    select(entity.c.jid)
    .join_from(push, entity, entity.c.number == push.c.room)
    .where(push.c.registrant == bindparam("jid"))
    .distinct()
    .order_by(entity.c.jid)
)
_PUSHES = select(*(push.c[field] for field in PushSaved._fields)).where(push.c.room == bindparam("room"))
_PUSHES_OF_SERVICE = (
    select(entity.c.jid, *(push.c[field] for field in PushSaved._fields))
    .join_from(push, entity)
    .where(entity.c.jid.endswith(bindparam("suffix")))
    .order_by(entity.c.jid)
)
_INVITES = (
    select(entity.c.jid, *(invite.c[field] for field in InviteOwed._fields))
    .join_from(invite, entity)
    .where(entity.c.jid.endswith(bindparam("suffix")))
    .order_by(invite.c.room, invite.c.jid)
)
# What `core.muc.config.Config.json` writes of a room that goes with its last occupant.
_IS_TEMPORARY = room.c.config.contains('"persistentroom":false', autoescape=True)
_DESERTED = (
    select(entity.c.jid)
    .join_from(room, entity)
    .where(
        entity.c.jid.endswith(bindparam("suffix")),
        room.c.locked | _IS_TEMPORARY,
        ~exists().where(occupancy.c.room == room.c.room),
        ~exists().where(invite.c.room == room.c.room),
    )
    .order_by(entity.c.jid)
)
_OCCUPANCIES = (
    select(*(occupancy.c[field] for field in OccupancySaved._fields))
    .where(occupancy.c.room == bindparam("room"))
    .order_by(occupancy.c.entered, occupancy.c.jid)
)
_POPULATIONS = (
    select(entity.c.jid, func.count(occupancy.c.nick.distinct()))
    .join_from(occupancy, entity)
    .where(entity.c.jid.endswith(bindparam("suffix")))
    .group_by(entity.c.jid)
)
_JOURNAL = (
    select(*(journal.c[field] for field in Journalled._fields))
    .where(journal.c.room == bindparam("room"))
    .order_by(journal.c.line.desc())
    .limit(bindparam("limit"))
)


class SQLRooms:
    """What is kept of rooms."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def room(self, jid: JID) -> RoomRow | None:
        """The room with that JID."""
        for row in await self._reader.rows(_ROOM, jid=jid):
            return RoomRow(*row)
        return None

    async def rooms(self, service: str) -> list[RoomRow]:
        """All rooms of a service, by JID."""
        return [RoomRow(*row) for row in await self._reader.rows(_ROOMS_OF_SERVICE, suffix=f"@{service}")]

    async def populations(self, service: str) -> dict[str, int]:
        """How many people are in each room of a service where there is anybody, by the room's JID."""
        return dict(await self._reader.rows(_POPULATIONS, suffix=f"@{service}"))

    async def deserted(self, service: str) -> list[JID]:
        """The rooms of a service that nobody is in, nor owed an invitation to, and that should have gone by that."""
        return [JID.parse(room) for (room,) in await self._reader.rows(_DESERTED, suffix=f"@{service}")]

    async def rooms_of(self, jid: JID) -> list[str]:
        """The bare JIDs of the rooms with which a bare JID has an affiliation, or that push for it."""
        rows = [*await self._reader.rows(_ROOMS_OF, jid=jid), *await self._reader.rows(_PUSHED_ROOMS_OF, jid=jid)]
        return list(dict.fromkeys([room for (room,) in rows]))

    async def affiliations(self, room: int) -> list[AffiliationRow]:
        """All affiliations of a room."""
        return [AffiliationRow(*row) for row in await self._reader.rows(_AFFILIATIONS, room=room)]

    async def occupancies(self, room: int) -> list[OccupancySaved]:
        """The sessions that are in a room, in the order in which they entered."""
        return [OccupancySaved(*row) for row in await self._reader.rows(_OCCUPANCIES, room=room)]

    async def pushes(self, room: int) -> list[PushSaved]:
        """Who is told when there is something new in a room."""
        return [PushSaved(*row) for row in await self._reader.rows(_PUSHES, room=room)]

    async def all_pushes(self, service: str) -> list[tuple[JID, PushSaved]]:
        """The same for all rooms of a service, each with its room."""
        rows = await self._reader.rows(_PUSHES_OF_SERVICE, suffix=f"@{service}")
        return [(JID.parse(room), PushSaved(*push)) for room, *push in rows]

    async def invites(self, service: str) -> list[tuple[JID, InviteOwed]]:
        """The invitations that a service owes, each with its room."""
        rows = await self._reader.rows(_INVITES, suffix=f"@{service}")
        return [(JID.parse(room), InviteOwed(*owed)) for room, *owed in rows]

    async def journal(self, room: int, limit: int) -> list[Journalled]:
        """The newest lines of a room's journal, oldest first."""
        rows = await self._reader.rows(_JOURNAL, room=room, limit=limit)
        return [Journalled(*row) for row in reversed(rows)]
