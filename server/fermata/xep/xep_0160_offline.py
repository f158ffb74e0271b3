"""XEP-0160: Best Practices for Handling Offline Messages: `services.messages` follows them, this tells it."""

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns


@extension(xep=160, version="1.0.1", features=(ns.MSG_OFFLINE,))
def offline_messages(host: Host) -> None:
    """There is nothing to be wired: whether a message waits is part of delivering it."""
