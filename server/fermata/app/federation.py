"""Federation of a server, built from [s2s] of the configuration."""

import math
import random
import secrets
from collections.abc import Iterable, Mapping

from ..core.breaks import Breaks
from ..host.federation import Dialling, Pair
from ..host.origin import Clock
from ..host.registry import Sessions
from ..host.residents import Spawn
from ..host.router import Router
from ..services.federation import Federation
from ..services.lasting_streams import LastingStreams
from ..services.limbo import Ejection, Limbo
from ..services.limbo_memory import CRASH_SECONDS, MISSED, LimboMemory
from ..services.messages import Messages
from ..services.muc import RoomService
from ..services.onward_spool import OnwardSpool
from ..services.relayed import Relayed
from ..services.sent_messages import SentMessages
from ..services.server_links import ServerLinks
from ..storage.database import Database
from ..xmpp.jid import JID
from .config_tables import Config


class Federating:
    """What leads to other servers, and who here depends on it."""

    def __init__(
        self,
        config: Config,
        router: Router,
        database: Database,
        messages: Messages,
        sessions: Sessions,
        rooms: Mapping[str, RoomService],
        clock: Clock,
        spawn: Spawn,
    ) -> None:
        self._router, self._messages, self._sessions, self._rooms = router, messages, sessions, rooms
        self._database = database
        first = JID.parse(config.server.domains[0])
        relayed = Relayed(first, router, database.writer)
        spool = OnwardSpool(first, database.entities, database.spool, database.writer, clock)
        streams = LastingStreams(
            config.stay.server_resume, database.values, database.writer, clock, lambda: secrets.token_urlsafe(24)
        )
        told = {*config.server.domains, *(domain for domain, _ in config.components.domains())}
        links = ServerLinks(
            config.s2s.is_blocked,
            told.__contains__,
            config.limits.server_queue_bytes or math.inf,
            router,
            relayed,
            spool,
            streams,
            database.writer,
            clock,
            random.random,
        )
        secret = database.secret("dialback").hex()
        self.federation = Federation(config.s2s, secret, router.serves, links, spool)
        #: who sees to those in rooms here whose server is out of reach; None if nobody does
        self.limbo = Limbo(links, rooms, clock, spawn) if config.stay.limbo else None
        if self.limbo is None:
            links.listeners.append(Ejection(rooms, clock))
        keeps = config.stay.limbo and config.stay.journal
        self._memory = (
            LimboMemory(links, router.serves, rooms, database.writer, clock, random.random) if keeps else None
        )
        links.needs += [self._pairs_of_rooms, self._pairs_of_sessions]

    async def open(self, dialling: Dialling) -> None:
        """From now on, what is not for a domain of ours goes to other servers."""
        self._router.elsewhere = SentMessages(self.federation, self._messages)
        links = self.federation.links
        links.heard.restore(self._database.written_last(Breaks.SECONDS), self._router.serves)
        await links.open(dialling)
        if self._memory is not None:
            self._memory.restore(self._database.noted(MISSED), lambda: self._database.said_last(CRASH_SECONDS))

    async def leave_notes(self) -> None:
        """The process is about to end: what others have not acknowledged is missed."""
        if self._memory is not None:
            self._memory.stop()
            await self._database.writer.settled()

    def _pairs_of_rooms(self) -> Iterable[Pair]:
        """Rooms here, and the servers of those who are in them."""
        for name, service in self._rooms.items():
            for room in service.rooms:
                domains = {session.domain for session in room.rules.occupants.everyone}
                yield from (Pair(room.rules.jid.domain, domain) for domain in domains if self._is_remote(domain))
            unverified = {session.domain for session in service.verification.doubts}
            yield from (Pair(name, domain) for domain in unverified if self._is_remote(domain))

    def _pairs_of_sessions(self) -> Iterable[Pair]:
        """People here, and the servers of the rooms that they are in."""
        for session in self._sessions:
            domains = {room.domain for room in session.directed.rooms}
            yield from (Pair(session.jid.domain, domain) for domain in domains if self._is_remote(domain))

    def _is_remote(self, domain: str) -> bool:
        return not self._router.serves(domain)
