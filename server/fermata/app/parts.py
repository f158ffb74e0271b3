"""The parts of a server, joined: the only place that knows all of them, and nothing about ports or processes."""

import math
import random
import secrets

from .. import __version__, xep
from ..core.archive_preferences import KEEP_ALL, Preferences
from ..core.archive_preferences import SPACE as PREFERENCES
from ..core.blocking import SPACE, Blocklist
from ..core.muc.verification import Verification
from ..core.roster import Roster
from ..core.stored_xml import stanza_from
from ..core.throttle import Failures
from ..host.accounts import Account
from ..host.extension import Discoverable, Host, find
from ..host.iq import IQTable
from ..host.origin import Clock
from ..host.pipeline import FromClient
from ..host.registry import Limits, Sessions
from ..host.residents import Residents, Spawn
from ..host.router import Router
from ..host.sessions import QueueLimits
from ..services.endings import Endings
from ..services.kept_accounts import InThread
from ..services.local_domain import LocalDomain
from ..services.login import Login, session_requests
from ..services.messages import Messages
from ..services.muc import RoomService
from ..services.muc_rebuilding import Rebuilding
from ..services.muc_rooms import RoomLoading
from ..services.muc_service import RoomServiceRequests
from ..services.muc_venues import Venues
from ..services.muc_verification import RoomVerification
from ..services.presence import Presences
from ..services.questions import Questions
from ..services.relayed import Relayed
from ..services.roster import RosterRequests
from ..services.safekeeping import Safekeeping
from ..services.strangers import Strangers
from ..services.stream_management import StreamManagement
from ..services.subscriptions import Subscriptions
from ..services.visibility import Visibility
from ..storage.database import Database
from ..xmpp.jid import JID
from .components import Components
from .config_tables import Config, RestartInvites
from .federation import Federating
from .lasting_sessions import LastingSessions
from .offered import Ground, offered
from .publishing import load_nodes, offer_publishing, serve_nodes
from .standing_in import StandingIn

_ID_BYTES = 18


def new_id() -> str:
    """An id that nobody can guess: 144 bits."""
    return secrets.token_urlsafe(_ID_BYTES)


class Parts:
    """A whole server between its network and its disk."""

    def __init__(self, config: Config, database: Database, clock: Clock, spawn: Spawn, in_thread: InThread) -> None:
        self._config, self._database, self._clock, self._spawn = config, database, clock, spawn
        self._rooms: dict[str, RoomService] = {}
        self.router = Router()
        self.accounts: Residents[Account] = Residents(self._load_account, lambda account: account.is_idle, spawn)
        self._join_accounts(in_thread)
        self.room_services = [self._room_service(domain) for domain in config.room_services()]
        self.discoverable.server_items += [JID.parse(domain) for domain in config.room_services()]
        self.components = Components(config, self.router, database, self.messages, clock, spawn)
        self.discoverable.server_items += self.components.jids
        for service in self.room_services:
            self.standing_in.join_rooms(service)
        self.federating = Federating(
            config, self.router, database, self.messages, self.sessions, self._rooms, clock, spawn
        )
        self.standing_in.join_federation(self.federating)
        self.standing_in.begin(database)
        if self.federating.limbo is not None:
            self.services[Rebuilding].missing = self.federating.limbo.missing

    def _join_accounts(self, in_thread: InThread) -> None:
        config, database, clock, writer = self._config, self._database, self._clock, self._database.writer
        relayed = Relayed(JID.parse(config.server.domains[0]), self.router, writer)
        archive = database.archive if config.archive.accounts else None
        safe = Safekeeping(archive, database.spool, writer, clock)
        self.messages = messages = Messages(self.accounts, safe, database.spool, writer, clock)
        subscriptions = Subscriptions(self.router, writer)
        presences = Presences(self.accounts, messages, subscriptions, self.router, relayed, self._spawn)
        queue = QueueLimits(config.limits.queue_stanzas or math.inf, config.limits.queue_bytes or math.inf)
        limits = Limits(config.limits.sessions_per_account or math.inf, queue)
        self.from_client = FromClient(self.router, presences.sent)
        self.sessions = Sessions(clock, self.from_client, writer, new_id, limits)
        stream_management = self._let_sessions_last()
        endings = Endings(presences, messages, stream_management, relayed)
        self.sessions.on_end, self.sessions.on_grace = endings.ended, endings.unreachable
        self.sessions.on_arrival, self.sessions.on_refusal = messages.arrived, messages.refused
        failures = Failures(config.limits.failed_logins_per_minute)
        self.login = Login(
            database.accounts, self.accounts, self.sessions, stream_management, failures, clock, self._spawn, in_thread
        )
        ground = Ground(
            config,
            database,
            clock,
            self._spawn,
            in_thread,
            self.router,
            relayed,
            self.accounts,
            self.sessions,
            presences,
            subscriptions,
            self._rooms,
            new_id,
        )
        self.services = offer_publishing(ground, offered(ground))
        iqs = IQTable(self._spawn, writer)
        iqs.promises = self.lasting.log
        self.standing_in = StandingIn(ground, self.services, messages, endings, self.lasting, iqs)
        session_requests(iqs)
        RosterRequests(iqs, self.sessions, subscriptions)
        nodes = serve_nodes(ground, self.services, self.lasting.log)
        self.discoverable = Discoverable(set(), set(), nodes, [], server_version=__version__)
        host = Host(
            config.server.domains,
            iqs,
            self.sessions,
            self.accounts,
            database.values,
            self.discoverable,
            Visibility(self.router, relayed),
            clock,
            config.server.admins,
            self.services,
            archive,
        )
        for extension in find(xep):
            extension.install(host)
        stream_management.start()
        self._serve_accounts(presences, iqs, relayed)

    def _let_sessions_last(self) -> StreamManagement:
        database, stay, clock = self._database, self._config.stay, self._clock
        management = StreamManagement(
            self.sessions,
            database.writer,
            database.handled,
            clock,
            self._spawn,
            new_id,
            stay.client_resume_seconds,
        )
        self.lasting = LastingSessions(
            self._config,
            database,
            self.sessions,
            self.accounts,
            self.messages,
            management,
            clock,
            self._spawn,
            new_id(),
        )
        self.messages.promises = self.lasting.log
        return management

    def _serve_accounts(self, presences: Presences, iqs: IQTable, relayed: Relayed) -> None:
        limits = self._config.limits
        strangers = Strangers(limits.stranger_messages_per_minute, limits.stranger_requests_per_minute, self._clock)
        for domain in self._config.server.domains:
            destination = LocalDomain(
                self.accounts, self.messages, presences, iqs, self.router, relayed, strangers, self.services[Questions]
            )
            self.standing_in.join_domain(destination)
            self.router.serve(domain, destination)

    def _room_service(self, domain: str) -> RoomService:
        database = self._database
        most = self._config.limits.occupants_per_room or math.inf
        loading = RoomLoading(
            database.rooms,
            database.entities,
            database.archive,
            database.values,
            self._clock,
            new_id,
            most,
            self._config.archive.rooms,
            self._config.stay.cheap_rejoin,
            self._config.stay.restart_invites is not RestartInvites.OFF,
        )
        iqs = IQTable(self._spawn, database.writer)
        RoomServiceRequests(domain, "Rooms", loading, iqs)
        venues = Venues(JID.parse(domain), database.entities, database.values, database.writer, self._clock)
        service = RoomService(
            loading,
            venues,
            self._room_verification(),
            self.messages,
            iqs,
            self.router,
            self.sessions,
            database.writer,
            self._clock,
            self._spawn,
            self._config.archive.rooms,
        )
        iqs.promises = service.speech.promises = self.lasting.log
        self.router.serve(domain, service)
        self._rooms[domain] = service
        return service

    def _room_verification(self) -> RoomVerification:
        return RoomVerification(
            Verification(new_id, random.random),
            self._config.server.domains,
            self.accounts,
            self.sessions,
            self.router,
            self._database.writer,
            self._clock,
        )

    async def _load_account(self, jid: JID) -> Account | None:
        number = await self._database.accounts.number(jid)
        if number is None:
            return None
        spooled = await self._database.spool.sizes(number)
        nodes = await load_nodes(self._config, self._database, number, jid)
        kept = await self._roster_and_blocklist(number, jid)
        account = Account(number, jid, *kept, spooled, nodes, self._reload_account)
        account.preferences = await self._preferences(number)
        account.is_disabled = await self._database.accounts.is_disabled(jid)
        return account

    async def _roster_and_blocklist(self, number: int, jid: JID) -> tuple[Roster, Blocklist]:
        database = self._database
        items, requests = await database.rosters.roster(number), await database.rosters.requests(number)
        roster = Roster(number, jid, items, requests, self._config.limits.roster_items or math.inf)
        return roster, Blocklist(number, jid, await database.values.values(number, SPACE))

    async def _preferences(self, number: int) -> Preferences:
        kept = await self._database.values.value(number, PREFERENCES, "")
        return Preferences.parse(stanza_from(kept)) if kept else KEEP_ALL

    def _reload_account(self, account: Account) -> None:
        async def reload() -> None:
            account.roster, account.blocklist = await self._roster_and_blocklist(account.number, account.jid)
            account.preferences = await self._preferences(account.number)
            account.nodes = await load_nodes(self._config, self._database, account.number, account.jid)

        self._spawn(reload())
