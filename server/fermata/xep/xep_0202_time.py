"""XEP-0202: Entity Time, of the server and of accounts to their own sessions."""

from ..host.extension import Host, extension
from ..host.iq import Addressee, Request
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.stamps import text_of

_TIME = "{%s}time" % ns.TIME
_OFFSET = E("{%s}tzo" % ns.TIME, None, "+00:00")


@extension(xep=202, version="2.0", features=(ns.TIME,), account_features=(ns.TIME,))
def entity_time(host: Host) -> None:
    """The server's clock; it is nowhere, so its time zone is UTC."""

    def time(request: Request) -> Element:
        return E(_TIME, None, _OFFSET, E("{%s}utc" % ns.TIME, None, text_of(host.clock.seconds())))

    for addressee in (Addressee.SERVER, Addressee.SELF):
        host.on_iq(addressee, "get", _TIME, time)
