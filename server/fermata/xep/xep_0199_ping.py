"""XEP-0199: XMPP Ping, of the server and of accounts."""

from ..host.extension import Host, extension
from ..host.iq import Addressee, Request
from ..xmpp import namespaces as ns


@extension(xep=199, version="2.0.1", features=(ns.PING,), account_features=(ns.PING,))
def ping(host: Host) -> None:
    """The server answers for itself, and for an account to its own sessions."""
    for addressee in (Addressee.SERVER, Addressee.SELF):
        host.on_iq(addressee, "get", "{%s}ping" % ns.PING, pong)


def pong(request: Request) -> None:
    """An empty result is the whole answer (§4.1)."""
