"""Accounts that stand in rooms, built from the configuration (docs/design/0006)."""

import math
import random

from .. import __version__
from ..core.guardian.guardian import Guardian
from ..host.iq import IQTable
from ..host.services import Services
from ..services.avatars import Avatars
from ..services.bookmarks import Bookmarks
from ..services.endings import Endings
from ..services.local_domain import LocalDomain
from ..services.messages import Messages
from ..services.muc import RoomService
from ..services.standin_acts import Performer
from ..services.standin_guard import Guard, Ways
from ..services.standin_identity import CAPS
from ..services.standin_ledger import Ledger
from ..services.standin_looks import StandInLooks
from ..services.standin_rooms import StandInRooms
from ..services.standin_wishes import StandInWishes
from ..services.standins import StandIns
from ..services.users import Users
from ..storage.database import Database
from .federation import Federating
from .lasting_sessions import LastingSessions
from .offered import Ground

_UNSETTLED_SECONDS = 60.0  #: what a room here has said before that is in the archives of accounts, whatever happens


class StandingIn:
    """The parts of it, joined to the accounts; rooms, domains and other servers are joined as they are made."""

    def __init__(
        self,
        ground: Ground,
        services: Services,
        messages: Messages,
        endings: Endings,
        lasting: LastingSessions,
        iqs: IQTable,
    ) -> None:
        self._build(ground, services, messages, iqs)
        endings.on_ended.append(self.stand_ins.ended)
        lasting.restored.on_restored.append(self.stand_ins.restored)
        self._performer.promises = lasting.log

    def _build(self, ground: Ground, services: Services, messages: Messages, iqs: IQTable) -> None:
        config, database, clock = ground.config, ground.database, ground.clock
        writer, relayed = database.writer, ground.relayed
        ledger = self._ledger = Ledger(writer, database.values, ground.new_id, (CAPS,))
        self.stand_ins = stand_ins = StandIns(
            ledger,
            ground.accounts,
            ground.sessions,
            ground.router,
            relayed,
            clock,
            config.accounts.room_joining.value,
            config.limits.joined_rooms_per_account or math.inf,
        )
        archive = database.archive if config.archive.accounts else None
        stand_ins.performer = self._performer = Performer(
            ledger,
            ground.accounts,
            ground.sessions,
            messages,
            archive,
            ground.router,
            relayed,
            writer,
            clock,
            ground.spawn,
            stand_ins.take,
        )
        self._rooms = rooms = StandInRooms(
            ledger, ground.accounts, self._performer, iqs, ground.router, relayed, clock, "Fermata", __version__
        )
        guardian, asks = Guardian(ground.new_id, random.random), config.stay.guardian
        self._guard = Guard(guardian, rooms.wanted, rooms.ask, rooms.doubted, clock, asks)
        rooms.guard = stand_ins.guard = self._performer.guard = self._guard
        self._wishes = StandInWishes(
            stand_ins,
            ledger,
            services[Bookmarks],
            ground.accounts,
            clock,
            ground.spawn,
            config.accounts.abandoned_days,
            config.archive.retention_days,
        )
        ground.presences.on_directed, stand_ins.stamps = stand_ins.entering, ground.presences.stamps
        ground.presences.on_withdrawal.append(stand_ins.withdrawn)
        ground.presences.on_broadcast.append(self._wishes.broadcast)
        services[Users].on_removal.append(self._wishes.removed)
        services[Users].on_disabling.append(self._wishes.disabled)
        looks = StandInLooks(ledger, self._performer, ground.presences.stamps, clock)
        ground.presences.on_broadcast.append(looks.broadcast)
        services[Bookmarks].on_change.append(looks.bookmarked)
        services[Avatars].on_change.append(looks.look)
        services.offer(stand_ins)
        services.offer(self._wishes)

    def join_domain(self, domain: LocalDomain) -> None:
        """What is for stand-ins of a domain."""
        domain.stands_in, domain.stands_in_for = self._rooms.receive, self._rooms.deliver
        domain.invited = self._rooms.invited

    def join_rooms(self, service: RoomService) -> None:
        """Rooms here need not ask whether those are there that only a server stands for."""
        service.verification.stands_in = self._rooms.stands_in

    def join_federation(self, federating: Federating) -> None:
        """Rooms elsewhere depend on there being a way."""
        links = federating.federation.links
        links.listeners.append(Ways(self._guard))
        links.needs.append(self._rooms.pairs)

    def begin(self, database: Database) -> None:
        """Takes up what the process before this one has left. Blocks; raises StorageError."""
        self._ledger.load(database.stood_in())
        said = database.said_last(_UNSETTLED_SECONDS) if self._ledger.holders else ()
        self.stand_ins.begin({archive for archive, _ in said})
