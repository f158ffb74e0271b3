"""Where people are sent who look for a room that has moved (XEP-0045 §10.9: destroyed, with an alternate venue)."""

from typing import Final

from ..core.records import Step, ValueRemoved, ValueSaved
from ..host.origin import Clock
from ..host.stores import Entities, ValueStore, Writer
from ..xmpp.jid import JID

_SPACE: Final = "venue"
_DAYS: Final = 90
_SECONDS: Final = _DAYS * 86_400.0


class Venues:
    """The new addresses of a service's rooms; each is remembered for a season, then the old one is free again."""

    def __init__(self, service: JID, entities: Entities, values: ValueStore, writer: Writer, clock: Clock) -> None:
        self._service, self._entities, self._values = service, entities, values
        self._writer, self._clock = writer, clock

    async def of(self, room: JID) -> str:
        """Where the room has moved to; empty if it has not."""
        now = self._clock.seconds()
        number = await self._entities.number_for(self._service, now)
        kept = await self._values.value(number, _SPACE, room)
        stamp, _, venue = (kept or "0 ").partition(" ")
        if venue and now - float(stamp) > _SECONDS:
            self._writer.submit(Step([ValueRemoved(number, _SPACE, room)]))
            return ""
        return venue

    async def remember(self, room: JID, venue: str) -> None:
        """The room has moved."""
        now = self._clock.seconds()
        number = await self._entities.number_for(self._service, now)
        self._writer.submit(Step([ValueSaved(number, _SPACE, room, f"{now} {venue}")]))
