"""Rooms as administrators see them: which there are, who is in them and why he is not, and their end."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ..core.muc import administration
from ..core.muc.config import Config
from ..core.records import Journalled
from ..host.origin import Clock
from ..host.stores import RoomStore, SettledWriter
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .muc import RoomService
from .muc_rebuilding import Rebuilding

_STORY_LINES: Final = 10_000


class RoomFigures(NamedTuple):
    """A room, as an administrator sees it; `occupants` are people, not sessions."""

    jid: str
    name: str
    occupants: int
    is_public: bool
    is_persistent: bool


class OccupantFigures(NamedTuple):
    """A session in a room, and since when it is there (Unix seconds).

    `state`, `state_since` and `cursor` are what is known of it; see `Standing`.
    """

    nick: str
    jid: str
    affiliation: str
    role: str
    entered: float
    state: str
    state_since: float
    cursor: str


class RoomAdministration:
    """The rooms of the services with these domains. Raises StanzaError `item-not-found` for a room that is not there.

    What is not in memory is told as the database has it.
    """

    def __init__(
        self,
        services: Mapping[str, RoomService],
        rooms: RoomStore,
        rebuilding: Rebuilding,
        writer: SettledWriter,
        clock: Clock,
    ) -> None:
        self._services, self._rooms, self._rebuilding = services, rooms, rebuilding
        self._writer, self._clock = writer, clock

    async def rooms(self, domain: str = "") -> list[RoomFigures]:
        """All rooms, or those of one service, by JID."""
        services = [domain] if domain else list(self._services)
        return [figures for each in services for figures in await self._list(each)]

    async def _list(self, domain: str) -> list[RoomFigures]:
        service = self._services.get(domain)
        kept = await self._rooms.populations(domain)
        found = []
        for row in await self._rooms.rooms(domain):
            config = Config.from_json(row.config)
            live = None if service is None else service.rooms.get(JID.parse(row.jid))
            occupants = kept.get(row.jid, 0) if live is None else len(list(live.rules.occupants))
            found.append(RoomFigures(row.jid, config.roomname, occupants, config.publicroom, config.persistentroom))
        return found

    async def occupants(self, room: JID) -> list[OccupantFigures]:
        """The sessions in a room, in the order in which they entered."""
        row = await self._rooms.room(room)
        if row is None:
            raise StanzaError("item-not-found", f"there is no room {room}")
        service = self._services.get(room.domain)
        live = None if service is None else service.rooms.get(room)
        state_of = self._rebuilding.state_of
        if live is not None:
            present = [(session, one) for one in live.rules.occupants for session in one.sessions.values()]
            present.sort(key=lambda pair: pair[0].entered)
            return [
                OccupantFigures(one.nick, each.jid, one.affiliation, one.role, each.entered, *state_of(room, each.jid))
                for each, one in present
            ]
        affiliations = {each.jid: each.affiliation for each in await self._rooms.affiliations(row.number)}
        return [
            OccupantFigures(
                each.nick,
                each.jid,
                affiliations.get(JID.parse(each.jid).bare, "none"),
                each.role,
                each.entered,
                *state_of(room, JID.parse(each.jid)),
            )
            for each in await self._rooms.occupancies(row.number)
        ]

    async def destroy(self, room: JID, reason: str = "") -> int:
        """Destroys a room, which its occupants are told; how many sessions that were."""
        service = self._services.get(room.domain)
        live = None if service is None else await service.rooms.fetch(room)
        if service is None or live is None:
            raise StanzaError("item-not-found", f"there is no room {room}")
        present = len(live.rules.occupants.everyone)
        service.perform(live, administration.destroy(live.rules.state, reason, self._clock.seconds()))
        await self._writer.settled()
        return present

    async def story(self, room: JID, user: JID | None = None) -> list[Journalled]:
        """What the room's journal has of its latest events, of everybody or of one bare JID, oldest first.

        Among them stands when the server stopped and started meanwhile: `start`, after a `stop` or a `crash`.
        """
        row = await self._rooms.room(room)
        if row is None:
            raise StanzaError("item-not-found", f"there is no room {room}")
        lines = await self._rooms.journal(row.number, _STORY_LINES)
        told = [line for line in lines if user is None or JID.parse(line.jid).bare == user]
        if told:
            starts = await self._rebuilding.starts(room.domain)
            told = [line for line in starts if line.stamp >= told[0].stamp] + told
        return sorted(told, key=lambda line: line.stamp)

    async def forget(self, jid: JID) -> None:
        """An account is removed: no room knows it any more, but for those that have banned it."""
        for address in await self._rooms.rooms_of(jid):
            room = JID.parse(address)
            service = self._services.get(room.domain)
            live = None if service is None else await service.rooms.fetch(room)
            if service is not None and live is not None:
                service.perform(live, administration.forget(live.rules.state, jid, self._clock.seconds()))
