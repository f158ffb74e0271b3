"""Rooms over a restart: who was in them when the process ended is in them when it begins again.

What is read at the start is only who is where. The room itself, with its occupants as they were, comes into memory with
the first stanza for it (`RoomService`), and nobody can tell the difference: nothing is sent.

With the journal switched off nobody is kept. Then whoever was in is out, which `on_forgotten` may remember.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from ..core.muc.effects import Effects
from ..core.muc.exit import abandon
from ..core.records import Journalled, OccupancyEnded, Record, Step
from ..host.origin import Clock
from ..host.residents import Spawn
from ..host.stores import Entities, RecordedOccupancy, RoomStore, SettledWriter
from ..xmpp.jid import JID
from .muc import RoomService

_log = logging.getLogger(__name__)
_PROGRESS: Final = 100_000  # sessions from one line of the log to the next
_RECORDS_AT_ONCE: Final = 1_000
_SWEEP_AFTER_SECONDS: Final = 600.0
_SWEEP_SECONDS: Final = 3_600.0


class Standing(NamedTuple):
    """What is known of a session in a room: `state`, and since when (Unix seconds; 0: since it entered).

    `here`; `unverified` after a start; `limbo` while its server is out of reach, and then `cursor` is the stanza-id of
    the first message that it has missed, if there was one; `recorded` while no server runs.
    """

    state: str
    since: float = 0.0
    cursor: str = ""


class Rebuilding:
    """The rooms of the services with these domains. `keeps` is whether occupants are kept over a stop."""

    def __init__(
        self,
        services: Mapping[str, RoomService],
        rooms: RoomStore,
        entities: Entities,
        writer: SettledWriter,
        clock: Clock,
        spawn: Spawn,
        keeps: bool,
    ) -> None:
        self._services, self._rooms, self._entities = services, rooms, entities
        self._writer, self._clock, self._spawn, self._keeps = writer, clock, spawn, keeps
        self._is_done = False
        #: What is to be kept of somebody who was in a room and is not kept in it, at this time.
        self.on_forgotten: Callable[[RecordedOccupancy, float], Iterable[Record]] = _nothing
        #: Since when somebody in a room is out of reach, and his cursor; see `Limbo.missing`.
        self.missing: Callable[[JID, JID], tuple[float, str]] = _nobody_misses
        #: Called when everybody who is kept is in his rooms.
        self.on_rebuilt: Callable[[], object] = _nobody_waits

    def rebuild(self, recorded: Iterable[RecordedOccupancy]) -> None:
        """Takes in who was in which room, room by room; before anybody can connect."""
        began = self._clock.seconds()
        take = self._recall if self._keeps else self._forget
        found = take(row for row in _with_progress(recorded) if row.room.domain in self._services)
        self._is_done = True
        for service in self._services.values():
            service.verification.begin()
        self._clock.callLater(_SWEEP_AFTER_SECONDS, self._sweep)
        for domain, sessions in found.items():
            fate = "still in them" if self._keeps else "not in them any more"
            _log.info("%d sessions that were in the rooms of %s are %s", sessions, domain, fate)
            self._spawn(self._note(domain, "start", began))
        self.on_rebuilt()

    def _recall(self, recorded: Iterable[RecordedOccupancy]) -> dict[str, int]:
        found: dict[str, int] = {}
        room, nicks = None, set[str]()
        for row in recorded:
            service = self._services[row.room.domain]
            if row.room != room:
                room, nicks = row.room, set()
            nicks.add(row.nick)
            service.recorded[row.room] = len(nicks)
            service.verification.recall(row.room, row.session, row.answers_pings)
            found[row.room.domain] = found.get(row.room.domain, 0) + 1
        return found

    def _forget(self, recorded: Iterable[RecordedOccupancy]) -> dict[str, int]:
        found: dict[str, int] = {}
        now, records = self._clock.seconds(), list[Record]()
        for row in recorded:
            records += [
                OccupancyEnded(row.number, row.session),
                Journalled(row.number, now, row.session, row.nick, "exit", "not kept"),
                *self.on_forgotten(row, now),
            ]
            found[row.room.domain] = found.get(row.room.domain, 0) + 1
            if len(records) >= _RECORDS_AT_ONCE:
                self._writer.submit(Step(records))
                records = []
        if records:
            self._writer.submit(Step(records))
        return found

    def state_of(self, room: JID, session: JID) -> Standing:
        """What is known of a session that is recorded in a room."""
        service = self._services.get(room.domain)
        if service is None or not self._is_done:
            return Standing("recorded")
        since, cursor = self.missing(room, session)
        if since:
            return Standing("limbo", since, cursor)
        since = service.verification.unverified_since(room, session)
        return Standing("unverified", since) if since else Standing("here")

    async def stop(self) -> None:
        """The server stops, with whoever is in the rooms in them."""
        for domain, service in self._services.items():
            if service.figures()[1]:
                await self._note(domain, "stop", self._clock.seconds())
        await self._writer.settled()

    async def starts(self, domain: str) -> list[Journalled]:
        """When the server stopped and started with somebody in the rooms of that service, oldest first."""
        number = await self._entities.number_of(JID.parse(domain))
        return [] if number is None else await self._rooms.journal(number, _RECORDS_AT_ONCE)

    async def _note(self, domain: str, event: str, stamp: float) -> None:
        """One line for all rooms of a service, in a journal of its own: else a start would write one for each."""
        service = JID.parse(domain)
        number = await self._entities.number_for(service, stamp)
        last = await self._rooms.journal(number, 1)
        cause = "" if event == "stop" else "stop" if last and last[0].event == "stop" else "crash"
        self._writer.submit(Step([Journalled(number, stamp, service, "", event, cause)]))

    def _sweep(self) -> None:
        self._clock.callLater(_SWEEP_SECONDS, self._sweep)
        self._spawn(self._remove_deserted())

    async def _remove_deserted(self) -> None:
        """Rooms that should have gone with their last occupant, and that nobody has entered again."""
        for domain, service in self._services.items():
            for jid in await self._rooms.deserted(domain):
                room = await service.rooms.fetch(jid)
                if room is not None:
                    effects = Effects()
                    abandon(room.rules.state, effects)
                    service.perform(room, effects)


def _with_progress(recorded: Iterable[RecordedOccupancy]) -> Iterable[RecordedOccupancy]:
    for number, row in enumerate(recorded, 1):
        if not number % _PROGRESS:
            _log.info("%d sessions that were in rooms are read", number)
        yield row


def _nothing(row: RecordedOccupancy, now: float) -> Iterable[Record]:
    return ()


def _nobody_misses(room: JID, session: JID) -> tuple[float, str]:
    return 0.0, ""


def _nobody_waits() -> None:
    pass
