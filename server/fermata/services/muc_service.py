"""The service that rooms are at, asked about itself (XEP-0045 §6.1, §6.2; XEP-0030, XEP-0486 §4.1)."""

from typing import Final

from ..host.iq import Addressee, IQTable, Request
from ..xmpp import disco
from ..xmpp import namespaces as ns
from ..xmpp.element import E, Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.rsm import Page
from .muc_rooms import RoomLoading

_FEATURES: Final = (ns.DISCO_INFO, ns.DISCO_ITEMS, ns.MUC, ns.PING, ns.RSM, ns.VCARD)


class RoomServiceRequests:
    """Answers requests to a room service's own domain; `iqs` is that service's table."""

    def __init__(self, domain: str, name: str, loading: RoomLoading, iqs: IQTable) -> None:
        self._domain, self._loading = domain, loading
        self._info = disco.info([disco.Identity("conference", "text", name)], _FEATURES)
        iqs.on(Addressee.SERVER, "get", "{%s}query" % ns.DISCO_INFO, self._disco_info)
        iqs.on(Addressee.SERVER, "get", "{%s}query" % ns.DISCO_ITEMS, self._disco_items)
        iqs.on(Addressee.SERVER, "get", "{%s}ping" % ns.PING, _pong)
        self._vcard = E("{%s}vCard" % ns.VCARD, None, E("{%s}FN" % ns.VCARD, None, name))
        iqs.on(Addressee.SERVER, "get", self._vcard.tag, lambda request: self._vcard)

    def _disco_info(self, request: Request) -> Element:
        _refuse_nodes(request)
        return self._info

    async def _disco_items(self, request: Request) -> Element:
        _refuse_nodes(request)
        page = Page.parse(request.payload)
        rooms = await self._loading.public(self._domain)
        items = [disco.Item(jid, name or JID.parse(jid).local) for jid, name in rooms]
        if page is None:
            return disco.items(items)
        shown, where = page.of(items, lambda item: item.jid)
        answer = disco.items(shown)
        answer.append(where)
        return answer


def _refuse_nodes(request: Request) -> None:
    if request.payload.get("node"):
        raise StanzaError("item-not-found", "there is no such node")


def _pong(request: Request) -> None:
    """An empty result is the whole answer (XEP-0199 §4.1)."""
