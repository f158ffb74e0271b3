"""Puts people out of their rooms when the service stops for long, and calls them back when it is there again.

So that the call can do without the journal: where that is off, whoever was in a room when the process ended, however it
did, was put out by that, and is called back all the same.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ..core.muc.calls import Call, Calls, Wanted, sort_out
from ..core.records import InviteOwed, InviteSettled, PushSaved, Record, Step
from ..host.origin import Clock
from ..host.residents import Spawn
from ..host.stores import RecordedOccupancy, RoomStore, Writer
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from .domain_values import DomainValues
from .muc import RoomService

_log = logging.getLogger(__name__)
_SPACE: Final = "alive"  # of a domain: when this server last said that it was running
_ALIVE_SECONDS: Final = 600.0


class ComeBack:
    """The calls of one start, for the rooms of the services with these domains."""

    def __init__(
        self,
        services: Mapping[str, RoomService],
        rooms: RoomStore,
        own: DomainValues,
        domain: str,
        writer: Writer,
        clock: Clock,
        spawn: Spawn,
        chance: Callable[[], float],
        wanted: Wanted,
        keeps: bool,
    ) -> None:
        """`domain` is one of ours. `chance` returns a number from 0 to below 1, `wanted` is who is invited.

        `keeps` says whether occupants are kept over a stop.
        """
        self._services, self._rooms, self._own, self._domain = services, rooms, own, domain
        self._writer, self._clock, self._spawn = writer, clock, spawn
        self._chance, self._wanted, self._keeps = chance, wanted, keeps
        self._since = clock.seconds()
        self._calls = Calls((), self._since)

    # -- the stop

    async def put_out(self, reason: str) -> None:
        """Tells every session in a room that the service stops, and why; they are remembered."""
        for service in self._services.values():
            for jid in list(service.recorded):  # since the start nobody has needed these
                await service.rooms.fetch(jid)
            for room in service.rooms:
                service.perform(room, room.rules.shut_down(self._clock.seconds(), reason))

    # -- the start

    def remember(self, lost: RecordedOccupancy, now: float) -> Iterable[Record]:
        """What is to be kept of somebody who was in a room when the process before this one ended."""
        return [InviteOwed(lost.number, lost.session, lost.nick, lost.wants_invite, now)]

    async def begin(self) -> None:
        """Sees who is to be called, and begins to call; when everybody is back in the rooms who is kept in them."""
        owed: list[tuple[JID, InviteOwed]] = []
        pushes: list[Call] = []
        for domain in self._services:
            owed += await self._rooms.invites(domain)
            pushes += [Call(room, push) for room, push in await self._rooms.all_pushes(domain)]
        if not self._keeps:
            stopped = await self._stopped()
            # Those whom no stop has put out were only found at this start.
            owed = [(room, one._replace(stamp=stopped) if one.stamp >= self._since else one) for room, one in owed]
            await self._say_alive()
        invites, settled = sort_out(owed, self._wanted, self._clock.seconds())
        self._keep(settled)
        self._calls = Calls(invites + pushes, self._since)
        if invites:
            _log.info("%d sessions will be invited back into their rooms", len(invites))
        self._wait()

    async def forget(self, jid: JID) -> None:
        """An account is removed: it is owed nothing."""
        self._calls.forget(jid)
        for domain in self._services:
            owed = [one for _, one in await self._rooms.invites(domain) if JID.parse(one.jid).bare == jid]
            self._keep([InviteSettled(one.room, one.jid) for one in owed])

    async def _stopped(self) -> float:
        """About when the process before this one ended."""
        alive = await self._own.value(self._domain, _SPACE, "")
        return self._since if alive is None else float(alive)

    async def _say_alive(self) -> None:
        """Notes that the server is running: after a crash nothing else would say until when it was."""
        try:
            await self._own.save(self._domain, _SPACE, "", str(self._clock.seconds()))
        except StanzaError as error:
            _log.warning("it can't be noted that the server is running: %s", error.text)
        self._clock.callLater(_ALIVE_SECONDS, lambda: self._spawn(self._say_alive()))

    # -- the calls

    def _wait(self) -> None:
        due = self._calls.next_deadline()
        if due is not None:
            self._clock.callLater(max(0.0, due - self._clock.seconds()), self._act)

    def _act(self) -> None:
        now = self._clock.seconds()
        self._keep(self._calls.written_off(now))
        call = self._calls.take(now, self._chance())
        if call is not None:
            self._spawn(self._make(call))
        self._wait()

    async def _make(self, call: Call) -> None:
        service = self._services[call.room.domain]
        room = await service.rooms.fetch(call.room)
        if room is None:
            return
        rules = room.rules
        if isinstance(call.of, PushSaved):
            service.perform(room, rules.wake(call.of, self._clock.seconds()))
        else:
            service.perform(room, rules.call_back(JID.parse(call.of.jid), self._since))

    def _keep(self, records: list[Record]) -> None:
        if records:
            self._writer.submit(Step(records))
