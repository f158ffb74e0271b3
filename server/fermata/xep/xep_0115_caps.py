"""XEP-0115: Entity Capabilities, of the server: clients that know the hash need not ask what it can do."""

from typing import Final

from ..host.extension import Host, extension
from ..xmpp import disco
from ..xmpp import namespaces as ns

_NODE: Final = ns.FERMATA + "server"


@extension(xep=115, version="1.6.0", features=(ns.CAPS,))
def capabilities(host: Host) -> None:
    """Offers the hash with the stream features (§6.3), and lets service discovery answer for it."""
    found = host.discoverable

    def ver() -> str:
        return disco.ver([found.server_identity], found.server_features, found.server_forms)

    found.server_node = lambda: f"{_NODE}#{ver()}"
    found.stream_features.append(lambda: f"<c xmlns='{ns.CAPS}' hash='sha-1' node='{_NODE}' ver='{ver()}'/>")
