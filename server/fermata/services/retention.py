"""Messages that have had their time in the archives go: the oldest first, in small batches, between other work."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from ..core.records import ArchiveExpired, ArchiveFloorRaised, Step
from ..host.origin import Clock
from ..host.residents import Spawn
from ..host.stores import ArchiveStore, SettledWriter
from .muc import RoomService

_log = logging.getLogger(__name__)
_DAY: Final = 86_400.0
_FIRST_SECONDS: Final = 60.0  # after the start, when there is better to do
_ROUND_SECONDS: Final = 3_600.0
_BATCH: Final = 200  # messages
_PAUSE_SECONDS: Final = 0.1  # from one batch to the next
_PROGRESS: Final = 100_000  # messages from one line of the log to the next


class Retention:
    """Deletes what is more than so many days old, in all archives, once an hour."""

    def __init__(
        self,
        services: Mapping[str, RoomService],
        archive: ArchiveStore,
        writer: SettledWriter,
        clock: Clock,
        spawn: Spawn,
        days: int,
    ) -> None:
        """`services` are the room services by domain, as far as there are any yet."""
        self._services, self._archive, self._writer = services, archive, writer
        self._clock, self._spawn = clock, spawn
        self._days, self._deleted = days, 0
        clock.callLater(_FIRST_SECONDS, self._begin)

    def _begin(self) -> None:
        self._deleted = 0
        for service in self._services.values():
            for room in service.rooms:
                room.rules.state.history.expire(self._oldest)
        self._go_on()

    @property
    def _oldest(self) -> float:
        return self._clock.seconds() - self._days * _DAY

    def _go_on(self) -> None:
        self._spawn(self._delete())

    async def _delete(self) -> None:
        """One batch, and then the next or, when nothing is left, the next round."""
        deleted = 0
        try:
            deleted = await self._delete_batch()
        except Exception as error:
            _log.error("old messages can't be deleted now: %s", error)
        before, self._deleted = self._deleted, self._deleted + deleted
        if deleted:
            if self._deleted // _PROGRESS > before // _PROGRESS:
                _log.info("%d messages of more than %d days ago are deleted so far", self._deleted, self._days)
            self._clock.callLater(_PAUSE_SECONDS, self._go_on)
            return
        if self._deleted:
            _log.info("%d messages of more than %d days ago were deleted", self._deleted, self._days)
        self._clock.callLater(_ROUND_SECONDS, self._begin)

    async def _delete_batch(self) -> int:
        batch = await self._archive.oldest(0, _BATCH)
        number, later = self._expired(batch), batch
        while number is None and later:
            # Some clock was wrong here: what stands behind it shows how old it is.
            later = await self._archive.oldest(later[-1][0], _BATCH)
            number = len(batch) if self._expired(later) else None
        if number:
            seq = batch[number - 1][0]
            step = Step([ArchiveFloorRaised(seq), ArchiveExpired(seq)])
            self._writer.submit(step)
            await self._writer.settled()
            if step.error is not None:
                raise step.error
        return number or 0

    def _expired(self, batch: Sequence[tuple[int, float]]) -> int | None:
        """How many of the first messages have had their time; None if all of them are of a time to come."""
        now, oldest = self._clock.seconds(), self._oldest
        expired = None
        for number, (_, stamp) in enumerate(batch):
            if stamp < oldest:
                expired = number + 1
            elif stamp <= now:
                return expired or 0
        return expired
