"""XEP-0359: Unique and Stable Stanza IDs: `services.messages` makes and guards those of accounts, this tells it."""

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns


@extension(xep=359, version="0.7.0")
def stanza_ids(host: Host) -> None:
    """There is nothing to be wired: an id comes with the place in the archive, where there is one."""
    if host.archive is not None:
        host.discoverable.account_features.add(ns.SID)
