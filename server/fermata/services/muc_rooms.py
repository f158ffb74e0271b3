"""Rooms between storage and memory: loading one, making one, listing them."""

import secrets
from collections.abc import Callable

from ..core.archive_answer import Ends
from ..core.archive_query import Found
from ..core.muc.config import Config
from ..core.muc.effects import Effects, Reading
from ..core.muc.ranks import Affiliation
from ..core.muc.room import LOCK_SECONDS, Room
from ..core.muc.said import MOST
from ..core.muc.vcard import SPACE
from ..host.origin import Clock
from ..host.stores import ArchiveStore, Entities, RoomStore, ValueStore
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .archives import ArchiveReading
from .muc_changelogs import changelog_of

_SECRET_BYTES = 32


class RoomArchive:
    """The archive of the room with that number (see core.muc.state.Archive)."""

    def __init__(self, archive: ArchiveStore, number: int, is_kept: bool) -> None:
        self._archive, self._number, self.is_kept = archive, number, is_kept

    def new(self) -> tuple[int, str]:
        """See Archive."""
        seq = self._archive.new_seq()
        return seq, self._archive.id_of(seq, self._number)

    def seq_of(self, id: str) -> int | None:
        """See Archive."""
        return self._archive.seq_of(id, self._number)

    def id_of(self, seq: int) -> str:
        """See Archive."""
        return self._archive.id_of(seq, self._number)


class RoomLoading:
    """Makes `Room`s from what storage has, and new ones."""

    def __init__(
        self,
        rooms: RoomStore,
        entities: Entities,
        archive: ArchiveStore,
        values: ValueStore,
        clock: Clock,
        new_id: Callable[[], str],
        most_occupants: float,
        keeps_archives: bool,
        cheap_rejoin: bool = True,
        calls_back: bool = True,
    ) -> None:
        """`calls_back`: those whom a stop puts out may ask to be invited again."""
        self._cheap_rejoin, self._calls_back = cheap_rejoin, calls_back
        self._rooms, self._entities, self._archive, self._values = rooms, entities, archive, values
        self._clock, self._new_id, self._most_occupants = clock, new_id, most_occupants
        self._keeps_archives, self._reading = keeps_archives, ArchiveReading(archive)

    async def load(self, jid: JID, stays: Callable[[JID], bool]) -> Room | None:
        """The room as it was kept, with the newest messages of its archive; None if there is none.

        Of the sessions that were in it, those are in of which `stays` says so.
        """
        row = await self._rooms.room(jid)
        if row is None:
            return None
        config = Config.from_json(row.config)
        affiliations = {
            JID.parse(each.jid): Affiliation(each.affiliation, each.nick, each.reason)
            for each in await self._rooms.affiliations(row.number)
        }
        newest = await self._archive.newest(row.number, max(config.maxhistoryfetch, MOST))
        kept = [(self._archive.id_of(each.seq, row.number), each.stamp, each.keep, each.xml) for each in newest]
        room = Room(
            row.number,
            jid,
            config,
            row.secret,
            RoomArchive(self._archive, row.number, self._keeps_archives),
            self._new_id,
            affiliations=affiliations,
            subject=(row.subject, row.subject_by, row.subject_stamp),
            vcard=await self._values.value(row.number, SPACE, "") or "",
            locked_until=self._clock.seconds() + LOCK_SECONDS if row.locked else 0.0,
            most_occupants=self._most_occupants,
            occupancies=[each for each in await self._rooms.occupancies(row.number) if stays(JID.parse(each.jid))],
            pushes=await self._rooms.pushes(row.number),
            history=kept[-config.maxhistoryfetch :] if config.maxhistoryfetch else (),
            said=[(JID.parse(row.sender), *message) for row, message in zip(newest, kept, strict=True)],
            changelog=await changelog_of(self._values, row.number),
            cheap_rejoin=self._cheap_rejoin,
        )
        room.state.calls_back = self._calls_back
        return room

    def create(self, jid: JID, creator: JID, presence: Element) -> tuple[Room, Effects]:
        """A new room, made by the presence with which somebody enters it. Raises StanzaError."""
        number = self._entities.new_number()
        room, effects = Room.create(
            number,
            jid,
            Config(),
            secrets.token_bytes(_SECRET_BYTES),
            RoomArchive(self._archive, number, self._keeps_archives),
            self._new_id,
            creator,
            presence,
            self._clock.seconds(),
            most_occupants=self._most_occupants,
            cheap_rejoin=self._cheap_rejoin,
        )
        room.state.calls_back = self._calls_back
        return room, effects

    async def public(self, service: str) -> list[tuple[str, str]]:
        """The JIDs and names of the rooms that anybody may find."""
        rows = [(row.jid, Config.from_json(row.config), row.locked) for row in await self._rooms.rooms(service)]
        return [(jid, config.roomname) for jid, config, locked in rows if config.publicroom and not locked]

    async def archived(self, number: int, seq: int) -> str:
        """The message at that place of a room's archive; empty if there is none."""
        row = await self._archive.message(seq, number)
        return "" if row is None else row.xml

    async def read(self, number: int, reading: Reading) -> Found | Ends | None:
        """What a room has to read in its archive. Raises StanzaError as `ArchiveReading.found` does."""
        if reading.selection is None:
            return await self._archive.ends(number)
        return await self._reading.found(number, reading.selection, reading.asker)
