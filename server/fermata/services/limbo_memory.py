"""What those in rooms here have missed, over the end of this process.

A stop leaves what other servers had not acknowledged by then; a crash leaves what was known to be missed, and nobody
knows what was under way: so what was said in the last seconds is told again. Whoever has it knows it by its stanza-id.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from ..core.records import MetaSaved, Step
from ..core.s2s.missed import Missed
from ..host.federation import Cause, Pair, Trouble
from ..host.origin import Clock, Timer
from ..host.stores import Writer
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .muc import RoomService
from .server_link import ServerLink
from .server_links import ServerLinks

MISSED: Final = "missed"  #: in `meta`: whether the process has stopped in order, and what was missed
_SAVE_SECONDS: Final = 5.0
CRASH_SECONDS: Final = 6.0  #: what was said in so many seconds before a crash is told again: all since it was saved
_PER_SECOND: Final = 20.0  #: so many servers are connected to, at the start
_STOPPED: Final = Trouble(Cause.STREAM, "this server was not running")


class LimboMemory:
    """For the rooms of the services with these domains."""

    def __init__(
        self,
        links: ServerLinks,
        served: Callable[[str], bool],
        services: Mapping[str, RoomService],
        writer: Writer,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._links, self._served, self._services = links, served, services
        self._writer, self._clock, self._random = writer, clock, random
        self._saved = ""
        self._saving: Timer | None = None

    def restore(self, noted: str, recently: Callable[[], Iterable[tuple[JID, str]]]) -> None:
        """Takes up what the process before this one has left; `recently` is asked after a crash.

        It says which rooms something was said in during the last `CRASH_SECONDS`, and the first stanza-id of that.
        """
        left: dict[str, Any] = json.loads(noted) if noted else {"clean": False, "missed": []}
        present = self._present()
        found: dict[Pair, Missed] = {}
        for local, remote, since, rooms in left["missed"]:
            pair = Pair(local, remote)
            found[pair] = Missed(present.get(pair, ()), since)
            for name, (first, nicks) in rooms.items():
                found[pair].assume(name, first, nicks)
        if not left["clean"]:
            self._assume(found, present, dict(recently()))
        for number, (pair, missed) in enumerate(found.items()):
            # By now the configuration may know no such service, or block that server.
            if missed.rooms and pair.local in self._services:
                with suppress(StanzaError):
                    link = self._links.lost(pair, _STOPPED, missed)
                    self._clock.callLater((number + self._random()) / _PER_SECOND, link.reach)
        self._save_often()

    def _present(self) -> dict[Pair, dict[JID, list[JID]]]:
        """By pair: the sessions that were in rooms when the process ended, and in which."""
        found: dict[Pair, dict[JID, list[JID]]] = {}
        for domain, service in self._services.items():
            for session, doubt in service.verification.doubts.items():
                if not self._served(session.domain):
                    found.setdefault(Pair(domain, session.domain), {})[session] = doubt.rooms
        return found

    def _assume(
        self, found: dict[Pair, Missed], present: dict[Pair, dict[JID, list[JID]]], said: dict[JID, str]
    ) -> None:
        """Nobody knows how much of the last that was said has left this process."""
        for pair, sessions in present.items():
            missed = found.setdefault(pair, Missed(sessions, self._clock.seconds()))
            for room in {room for rooms in sessions.values() for room in rooms}:
                if room in said:
                    missed.assume(room, said[room])

    def stop(self) -> None:
        """The process ends in order: whatever has not arrived by now is missed. That is the last word about it."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        self._save(True, [(pair, link.missed_at_end(self._clock.seconds())) for pair, link in self._of_rooms()])

    def _save_often(self) -> None:
        now = self._clock.seconds()
        self._save(False, [(pair, link.missed_at_end(now)) for pair, link in self._of_rooms() if link.is_in_doubt])
        self._saving = self._clock.callLater(_SAVE_SECONDS, self._save_often)

    def _of_rooms(self) -> list[tuple[Pair, ServerLink]]:
        return [(pair, link) for pair, link in self._links.by_pair.items() if pair.local in self._services]

    def _save(self, clean: bool, missed: list[tuple[Pair, Missed]]) -> None:
        left = {"clean": clean, "missed": [[*pair, *_written(each)] for pair, each in missed if each.rooms]}
        text = json.dumps(left)
        if text != self._saved:
            self._saved = text
            self._writer.submit(Step([MetaSaved(MISSED, text)]))


def _written(missed: Missed) -> tuple[float, dict[str, Any]]:
    return missed.since, {name: [room.first, list(room.nicks)] for name, room in missed.rooms.items()}
