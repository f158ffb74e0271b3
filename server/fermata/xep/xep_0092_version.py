"""XEP-0092: Software Version, of the server. On which system it runs is nobody's business."""

from ..host.extension import Host, extension
from ..host.iq import Addressee, Request
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element

_QUERY = "{%s}query" % ns.VERSION
_NAME = "{%s}name" % ns.VERSION
_VERSION = "{%s}version" % ns.VERSION


@extension(xep=92, version="1.1", features=(ns.VERSION,))
def software_version(host: Host) -> None:
    """The server answers for itself."""
    found = host.discoverable

    def version(request: Request) -> Element:
        return E(_QUERY, None, E(_NAME, None, found.server_identity.name), E(_VERSION, None, found.server_version))

    host.on_iq(Addressee.SERVER, "get", _QUERY, version)
