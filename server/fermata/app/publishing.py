"""What people publish, joined: nodes of accounts, who hears of them, and services of their own."""

from ..core.pubsub.nodes import ACCOUNT, Nodes
from ..host.iq import IQTable
from ..host.services import Services
from ..host.trail import Promises
from ..services.account_nodes import AccountNodes
from ..services.avatars import Avatars
from ..services.bookmarks import Bookmarks
from ..services.capabilities import Capabilities
from ..services.contacts_elsewhere import ContactsElsewhere
from ..services.pep import PersonalEventing
from ..services.pubsub import Publishing
from ..services.pubsub_notices import Notices
from ..services.pubsub_service import PubsubService
from ..services.questions import Questions
from ..services.users import Users
from ..storage.database import Database
from ..xmpp.jid import JID
from .config import Config
from .offered import Ground


async def load_nodes(config: Config, database: Database, number: int, jid: JID) -> Nodes:
    """The nodes of an account."""
    return Nodes(number, jid, ACCOUNT, config.pubsub.limits(), await database.nodes.nodes(number))


def offer_publishing(ground: Ground, services: Services) -> Services:
    """Joins everything, and offers what requests ask for beside what is offered already."""
    database, clock, new_id = ground.database, ground.clock, ground.new_id
    questions = Questions(ground.router, ground.relayed, clock, new_id)
    notices = Notices(database.nodes, ground.router, ground.sessions, ground.relayed, ground.spawn, clock, new_id)
    domains, capabilities = ground.config.server.domains, Capabilities(questions)
    elsewhere = ContactsElsewhere(frozenset(domains), capabilities, ground.router, ground.relayed)
    eventing = PersonalEventing(domains, ground.accounts, capabilities, elsewhere, notices, clock)
    ground.presences.on_broadcast.append(eventing.broadcast)
    ground.presences.on_contact.append(elsewhere.received)
    ground.subscriptions.on_granted.append(eventing.granted)
    publishing = Publishing(database.nodes, notices, database.writer, clock, new_id)
    nodes = AccountNodes(publishing, eventing, notices, clock)
    bookmarks = Bookmarks(nodes, database.nodes, database.values, notices, clock, ground.spawn)
    avatars = Avatars(nodes, database.nodes, notices, clock, new_id)
    ground.presences.stamps.append(avatars.stamp)
    for service in (questions, publishing, nodes, bookmarks, avatars):
        services.offer(service)
    return services


def serve_nodes(ground: Ground, services: Services, promises: Promises) -> list[JID]:
    """Begins the services at domains of their own; their addresses."""
    config, database = ground.config, ground.database
    found = [JID.parse(domain) for domain in config.pubsub_services()]
    for jid in found:
        iqs = IQTable(ground.spawn, database.writer)
        iqs.promises = promises
        service = PubsubService(
            jid,
            config.server.domains,
            config.pubsub.limits(),
            services[Publishing],
            database.nodes,
            database.entities,
            iqs,
            ground.clock,
            ground.spawn,
        )
        services[Users].on_removal.append(service.forget)
        ground.router.serve(jid, service)
    return found
