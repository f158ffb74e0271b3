"""XEP-0092: Software Version, of the server. On which system it runs is nobody's business."""

from .. import __version__
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
    host.on_iq(Addressee.SERVER, "get", _QUERY, version)


def version(request: Request) -> Element:
    """Its name and version."""
    return E(_QUERY, None, E(_NAME, None, "Fermata"), E(_VERSION, None, __version__))
