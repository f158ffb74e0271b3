"""XEP-0377: Blocking Command Reports: what comes with a block is taken there; `services.reports` keeps it."""

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns


@extension(xep=377, version="0.4.1", features=(ns.REPORTING,), account_features=(ns.REPORTING,))
def reporting(host: Host) -> None:
    """There is nothing to be wired: a report is a part of blocking."""
