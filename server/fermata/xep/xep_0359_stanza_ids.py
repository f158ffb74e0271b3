"""XEP-0359: Unique and Stable Stanza IDs: `services.messages` makes and guards those of accounts, this tells it."""

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns


@extension(xep=359, version="0.7.0", account_features=(ns.SID,))
def stanza_ids(host: Host) -> None:
    """There is nothing to be wired: an id comes with the place in the archive."""
