"""What a stand-in answers itself to its room: what it is, and that it is there (XEP-0030, XEP-0092, XEP-0199)."""

from typing import Final

from ..xmpp import disco
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.errors import StanzaError

_NODE: Final = ns.FERMATA + "stand-in"
_IDENTITIES: Final = (disco.Identity("account", "registered"),)
_FEATURES: Final = (ns.DISCO_INFO, ns.PING, ns.VERSION)
_VER: Final = disco.ver(_IDENTITIES, _FEATURES)
CAPS: Final = E("{%s}c" % ns.CAPS, {"hash": "sha-1", "node": _NODE, "ver": _VER})  #: of each of its presences
OF_ACCOUNT: Final = frozenset({ns.VCARD, ns.PUBSUB})  #: what the account answers in its place


def answer(request: Element, name: str, version: str) -> Element | None:
    """The payload that answers that of a request; None for an empty result. Raises StanzaError."""
    if request.tag == "{%s}query" % ns.DISCO_INFO:
        node = request.get("node", "")
        if node not in ("", f"{_NODE}#{_VER}"):
            raise StanzaError("item-not-found", "there is no such node")
        return disco.info(_IDENTITIES, _FEATURES, node=node)
    if request.tag == "{%s}ping" % ns.PING:
        return None
    if request.tag == "{%s}query" % ns.VERSION:
        uri = "{%s}" % ns.VERSION
        return E(uri + "query", None, E(uri + "name", None, name), E(uri + "version", None, version))
    raise StanzaError("service-unavailable")
