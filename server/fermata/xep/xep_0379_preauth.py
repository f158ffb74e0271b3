"""XEP-0379: Pre-Authenticated Roster Subscription: `services.introductions` lets in who brings a token."""

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns


@extension(xep=379, version="0.3.3", account_features=(ns.PARS,))
def preauthenticated_subscription(host: Host) -> None:
    """There is nothing to be wired: a token is a part of a subscription request."""
