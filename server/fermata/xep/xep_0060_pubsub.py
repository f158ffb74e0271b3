"""XEP-0060: Publish-Subscribe, of accounts. The service of a domain answers for itself (`services.pubsub_service`)."""

from ..core.pubsub.disco import features
from ..core.pubsub.nodes import ACCOUNT
from ..host.extension import Host, extension
from ..host.iq import Addressee
from ..services.account_nodes import AccountNodes
from ..xmpp.pubsub import OWNER, PUBSUB


@extension(xep=60, version="1.30.0", account_features=features(ACCOUNT))
def pubsub(host: Host) -> None:
    """Lets everybody ask the nodes of an account what these allow him."""
    nodes = host.discoverable.account_nodes = host.services[AccountNodes]
    for addressee in (Addressee.SELF, Addressee.ACCOUNT):
        for type in ("get", "set"):
            for tag in (PUBSUB, OWNER):
                host.on_iq(addressee, type, tag, nodes.answer)
