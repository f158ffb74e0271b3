"""XEP-0163: Personal Eventing Protocol: contacts hear of an account's nodes because they get its presence.

Who hears of what is `services.pep`; this tells that it does.
"""

from ..core.pubsub.disco import account_features
from ..host.extension import Host, extension
from ..xmpp.disco import Identity


@extension(xep=163, version="1.2.2", account_features=account_features())
def personal_eventing(host: Host) -> None:
    """Names accounts for what they are."""
    host.discoverable.account_identities.append(Identity("pubsub", "pep"))
