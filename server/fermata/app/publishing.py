"""What people publish, joined: nodes of accounts, who hears of them, and services of their own."""

from ..core.pubsub.nodes import ACCOUNT, Nodes
from ..host.services import Services
from ..services.account_nodes import AccountNodes
from ..services.capabilities import Capabilities
from ..services.pep import PersonalEventing
from ..services.pubsub import Publishing
from ..services.pubsub_notices import Notices
from ..services.questions import Questions
from ..storage.database import Database
from ..xmpp.jid import JID
from .config import Config
from .offered import Ground


async def load_nodes(config: Config, database: Database, number: int, jid: JID) -> Nodes:
    """The nodes of an account."""
    return Nodes(number, jid, ACCOUNT, config.pubsub.limits(), await database.nodes.nodes(number))


def offer_publishing(ground: Ground, services: Services) -> None:
    """Joins everything, and offers what requests ask for."""
    database, clock, new_id = ground.database, ground.clock, ground.new_id
    questions = Questions(ground.router, ground.relayed, clock, new_id)
    notices = Notices(database.nodes, ground.router, ground.sessions, ground.relayed, ground.spawn, clock, new_id)
    eventing = PersonalEventing(ground.config.server.domains, ground.accounts, Capabilities(questions), notices, clock)
    ground.presences.on_broadcast.append(eventing.broadcast)
    ground.presences.on_contact.append(eventing.received)
    ground.subscriptions.on_granted.append(eventing.granted)
    publishing = Publishing(database.nodes, notices, database.writer, clock, new_id)
    for service in (questions, publishing, AccountNodes(publishing, eventing)):
        services.offer(service)
