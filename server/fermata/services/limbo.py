"""Limbo: people in rooms here whose server is out of reach (design: how a person stays in).

They stay. While the way to their server is lost, the link notes what they miss; when it is back they are told that, and
asked whether they are still there. Only time removes them, and only much of it.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from ..core.archive_query import Found
from ..core.muc import limbo
from ..core.s2s.missed import Missed, MissedInRoom
from ..host.federation import Pair
from ..host.origin import Clock
from ..host.residents import Spawn
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .link_listener import LinkListener
from .muc import LiveRoom, RoomService
from .server_links import ServerLinks

_log = logging.getLogger(__name__)
_SWEEP_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 5.0  #: so soon a room is loaded again that could not keep what was said
_FRESH_SECONDS: Final = 1.0
SHORT_SECONDS: Final = 5.0  #: who was out of reach for no longer than that need not be asked


class Limbo(LinkListener):
    """For the rooms of the services with these domains.

    That a way is dead, or that a stanza could not be handed over, is no more a reason to go than any other.
    """

    def __init__(
        self,
        links: ServerLinks,
        services: Mapping[str, RoomService],
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._links, self._services = links, services
        self._clock, self._spawn = clock, spawn
        self._present: dict[str, dict[str, list[tuple[JID, JID]]]] = {}
        self._present_at = -1.0
        links.listeners.append(self)
        clock.callLater(_SWEEP_SECONDS, self._sweep)

    def missing(self, room: JID, session: JID) -> tuple[float, str]:
        """Since when the server of somebody in a room is out of reach (Unix seconds); 0 if it is not.

        Beside it, from which message on he will be told what he has missed: its stanza-id, empty if there was none yet.
        """
        link = self._links.by_pair.get(Pair(room.domain, session.domain))
        if link is None or link.missed is None:
            return 0.0, ""
        noted = link.missed.rooms.get(room)
        return link.missed.since, "" if noted is None else noted.first

    # -- how the ways are doing (see LinkListener)

    def contacted(self, pair: Pair) -> None:
        """See LinkListener."""
        _expect_repeats(self._services, pair, self._clock)

    def stalled(self, pair: Pair) -> None:
        """See LinkListener: nobody is told anything."""
        service = self._services.get(pair.local)
        if service is None:
            return
        present = {session for _, session in self._present_from(pair)}
        self._links.by_pair[pair].note_from_now(Missed(present, self._clock.seconds()))

    def up(self, pair: Pair) -> None:
        """See LinkListener."""
        service, link = self._services.get(pair.local), self._links.by_pair[pair]
        missed = link.missed
        if service is None or missed is None:
            return
        if self._clock.seconds() - missed.since > SHORT_SECONDS:
            self._ask(service, pair)
        if not missed.rooms:
            link.missed = None
        for name in list(missed.rooms):
            self._spawn(self._tell(service, JID.parse(name), pair, missed))

    # -- what was missed is told

    async def _tell(self, service: RoomService, jid: JID, pair: Pair, missed: Missed) -> None:
        try:
            await self._catch_up(service, jid, pair, missed)
        except Exception:
            _log.exception("those at %s are not told what they have missed in %s", pair.remote, jid)
            self._over(jid, pair, missed)

    async def _catch_up(self, service: RoomService, jid: JID, pair: Pair, missed: Missed) -> None:
        room, noted, answer = await service.rooms.fetch(jid), missed.rooms.get(jid), None
        if room is None or noted is None:
            self._over(jid, pair, missed)
            return
        state, domain = room.rules.state, JID.parse(pair.remote)
        reading = limbo.read(state, domain, noted.first) if state.archive.is_kept else None
        try:
            if reading is not None:
                answer = await service.read(room, reading)
        except Exception:
            _log.exception("the archive of %s can't be read: those at %s are told what it remembers", jid, domain)
        link = self._links.by_pair[pair]
        if link.missed is not missed:  # it was lost again meanwhile: they are told when it is back, or are being told
            if link.trunk is None:
                state.awaited.pop(domain, None)
            return
        sessions = tuple([session for session in limbo.at(state, domain) if missed.misses(jid, session)])
        found = answer if isinstance(answer, Found) else None
        # In line behind what the room has said so far, all of which is noted instead of sent.
        effects = limbo.catch_up(state, domain, sessions, _nicks(room, noted), noted.first, found)
        room.queue.put(0, None, self._tell_on, service, room, pair, missed)
        service.perform(room, effects)

    def _tell_on(self, service: RoomService, room: LiveRoom, pair: Pair, missed: Missed) -> None:
        """What the room has said before this is safe; or some of it never was said, and with it what was to be told."""
        if room.lineage.broken is None:
            self._over(room.rules.jid, pair, missed)
            return
        self._clock.callLater(_AGAIN_SECONDS, self._begin_to_tell, service, room.rules.jid, pair, missed)

    def _begin_to_tell(self, service: RoomService, jid: JID, pair: Pair, missed: Missed) -> None:
        self._spawn(self._tell(service, jid, pair, missed))

    def _over(self, jid: JID, pair: Pair, missed: Missed) -> None:
        """From here on, what the room says goes out again."""
        link = self._links.by_pair[pair]
        if link.missed is missed and link.trunk is not None:  # else it was lost again
            missed.told(jid)
            if not missed.rooms:
                link.missed = None

    def _ask(self, service: RoomService, pair: Pair) -> None:
        """A server that was gone for a while may have lost whom it had: each of them is asked, in time."""
        for room, session in self._present_from(pair):
            live = service.rooms.get(room)
            if live is not None and live.rules.occupants.at(session) is not None:
                service.verification.recall(room, session, False)
        service.verification.domain_up(JID.parse(pair.remote), False)

    def _present_from(self, pair: Pair) -> list[tuple[JID, JID]]:
        """The rooms with people of that server in them, and their sessions; perhaps as it was a moment ago.

        When many ways are lost at once, as when our own network is down, the rooms are gone through once for them all.
        """
        now = self._clock.seconds()
        if now >= self._present_at + _FRESH_SECONDS:
            self._present_at, self._present = now, {}
        found = self._present.get(pair.local)
        if found is None:
            found = self._present[pair.local] = {}
            for room in self._services[pair.local].rooms:
                for session in room.rules.occupants.everyone:
                    found.setdefault(session.domain, []).append((room.rules.jid, session))
        return found.get(pair.remote, [])

    # -- the end of patience

    def _sweep(self) -> None:
        now = self._clock.seconds()
        for pair, link in self._links.by_pair.items():
            service, missed = self._services.get(pair.local), link.missed
            if service is None or missed is None or now - missed.since < limbo.VISITORS_SECONDS:
                continue
            if not self._give_up(service, JID.parse(pair.remote), missed.since, now):
                link.missed = None
        self._clock.callLater(_SWEEP_SECONDS, self._sweep)

    def _give_up(self, service: RoomService, domain: JID, since: float, now: float) -> bool:
        """Whether anybody of that domain is still in a room, or was until now."""
        is_anybody_there = False
        for room in list(service.rooms):
            is_anybody_there = is_anybody_there or bool(limbo.at(room.rules.state, domain))
            effects = limbo.give_up(room.rules.state, domain, since, now)
            if effects.records:
                service.perform(room, effects)
        return is_anybody_there


def _nicks(room: LiveRoom, noted: MissedInRoom) -> Iterable[str]:
    """The occupant JIDs that those who missed something are to be told of."""
    if not noted.is_full:
        return noted.nicks
    return {**noted.nicks, **{occupant.jid: None for occupant in room.rules.occupants}}


class Ejection(LinkListener):
    """What becomes of them without limbo: as XEP-0045 §11.1 has it."""

    def __init__(self, services: Mapping[str, RoomService], clock: Clock) -> None:
        self._services, self._clock = services, clock

    def contacted(self, pair: Pair) -> None:
        """See LinkListener."""
        _expect_repeats(self._services, pair, self._clock)

    def refused(self, pair: Pair, stanza: Element, to: JID) -> None:
        """See LinkListener: who could not be told something is out."""
        service = self._services.get(pair.local)
        if service is not None:
            room = JID.parse(stanza.get("from", "")).bare
            service.verification.on_gone(room, to, "undeliverable: remote-server-timeout")


def _expect_repeats(services: Mapping[str, RoomService], pair: Pair, clock: Clock) -> None:
    service = services.get(pair.local)
    if service is not None:
        service.breaks.note(pair.remote, clock.seconds())
