"""The services that administrators and extensions ask for, made of the parts of a server."""

import random
from collections.abc import Callable
from typing import NamedTuple

from ..core.commands import CommandTable
from ..core.muc.calls import Wanted
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.registry import Sessions
from ..host.residents import Residents, Spawn
from ..host.router import Router
from ..host.services import Services
from ..services.announcements import Announcements
from ..services.come_back import ComeBack
from ..services.domain_values import DomainValues
from ..services.introductions import Introductions
from ..services.invitations import Invitations
from ..services.kept_accounts import InThread, KeptAccounts
from ..services.last_seen import LastSeen
from ..services.muc import RoomService
from ..services.muc_rebuilding import Rebuilding
from ..services.presence import Presences
from ..services.registration import Registration
from ..services.relayed import Relayed
from ..services.reports import Reports
from ..services.retention import Retention
from ..services.room_administration import RoomAdministration
from ..services.shutting_down import ShuttingDown
from ..services.subscriptions import Subscriptions
from ..services.users import Users
from ..storage.database import Database
from .config_tables import Config


class Ground(NamedTuple):
    """What the offered services stand on; `rooms` are the room services by domain, as far as there are any yet."""

    config: Config
    database: Database
    clock: Clock
    spawn: Spawn
    in_thread: InThread
    router: Router
    relayed: Relayed
    accounts: Residents[Account]
    sessions: Sessions
    presences: Presences
    subscriptions: Subscriptions
    rooms: dict[str, RoomService]
    new_id: Callable[[], str]


def offered(ground: Ground) -> Services:
    """All of them, joined to what they listen to."""
    database, clock, spawn, domains = ground.database, ground.clock, ground.spawn, ground.config.server.domains
    writer, router, relayed = database.writer, ground.router, ground.relayed
    kept = KeptAccounts(database.entities, database.accounts, database.values, writer, clock, ground.in_thread)
    users = Users(domains, kept, ground.accounts, ground.sessions, ground.subscriptions, relayed, spawn)
    own = DomainValues(domains, database.entities, database.values, writer, clock)
    announcements = Announcements(domains, users, own, database.values, router, relayed, writer, spawn, ground.new_id)
    ground.presences.on_arrival.append(announcements.arrived)
    spawn(announcements.load())
    journal = ground.config.stay.journal
    rebuilding = Rebuilding(ground.rooms, database.rooms, database.entities, writer, clock, spawn, journal)
    rooms = RoomAdministration(ground.rooms, database.rooms, rebuilding, writer, clock)
    users.on_removal.append(rooms.forget)
    last_seen = LastSeen(database.values, writer, clock)
    ground.presences.on_absence.append(last_seen.left)
    if ground.config.archive.retention_days:
        Retention(ground.rooms, database.archive, writer, clock, spawn, ground.config.archive.retention_days)
    services = Services()
    for service in (users, announcements, rebuilding, rooms, last_seen, Reports(own, clock), CommandTable()):
        services.offer(service)
    services.offer(_ending(ground, announcements, rebuilding, users, own))
    _offer_registration(services, ground, users, own)
    clock.callLater(0, lambda: spawn(users.finish_removals()))
    return services


def _ending(
    ground: Ground, announcements: Announcements, rebuilding: Rebuilding, users: Users, own: DomainValues
) -> ShuttingDown:
    """The end of the server, and how those come back whom it puts out of their rooms."""
    database, stay, domains = ground.database, ground.config.stay, ground.config.server.domains
    wanted = Wanted(stay.restart_invites.value)
    writer, clock, spawn = database.writer, ground.clock, ground.spawn
    come_back = ComeBack(
        ground.rooms, database.rooms, own, domains[0], writer, clock, spawn, random.random, wanted, stay.journal
    )
    users.on_removal.append(come_back.forget)
    rebuilding.on_forgotten, rebuilding.on_rebuilt = come_back.remember, lambda: spawn(come_back.begin())
    ending = ShuttingDown(domains, announcements, clock)

    async def put_out() -> None:
        if ending.announced or not stay.journal:
            await come_back.put_out(ending.announced)

    ending.on_farewell.append(put_out)
    return ending


def _offer_registration(services: Services, ground: Ground, users: Users, own: DomainValues) -> None:
    """What lets people in."""
    config, clock, spawn = ground.config.registration, ground.clock, ground.spawn
    domains = ground.config.server.domains
    invitations = Invitations(domains, own, users, clock, config.invitation_days)
    introductions = Introductions(invitations, ground.accounts, ground.subscriptions, ground.relayed, spawn)
    ground.presences.on_request = introductions.requested
    users.on_removal.append(invitations.withdraw)
    services.offer(invitations)
    per_hour, open_to = config.per_address_per_hour, config.users_may_invite
    services.offer(Registration(config.terms(), open_to, per_hour, users, invitations, introductions, clock, spawn))
