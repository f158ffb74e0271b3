"""XEP-0030: Service Discovery, of the server and of accounts: it tells what the others have declared."""

from ..host.extension import AccountNodes, Host, Node, extension
from ..host.iq import Addressee, Request
from ..xmpp import disco
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError

_INFO = "{%s}query" % ns.DISCO_INFO
_ITEMS = "{%s}query" % ns.DISCO_ITEMS
_FEATURES = (ns.DISCO_INFO, ns.DISCO_ITEMS)


@extension(xep=30, version="2.5.0", features=_FEATURES, account_features=_FEATURES)
def discovery(host: Host) -> None:
    """Answers for the server and for its accounts."""
    discovery = _Discovery(host)
    host.on_iq(Addressee.SERVER, "get", _INFO, discovery.server_info)
    host.on_iq(Addressee.SERVER, "get", _ITEMS, discovery.server_items)
    for addressee in (Addressee.SELF, Addressee.ACCOUNT):
        host.on_iq(addressee, "get", _INFO, discovery.account_info)
        host.on_iq(addressee, "get", _ITEMS, discovery.account_items)


class _Discovery:
    def __init__(self, host: Host) -> None:
        self._found = host.discoverable

    def server_info(self, request: Request) -> Element:
        found, name = self._found, request.payload.get("node", "")
        if name in ("", found.server_node()):
            return disco.info([found.server_identity], found.server_features, found.server_forms, name)
        node = self._node(name, request)
        return disco.info([node.identity], node.features, node=name)

    def server_items(self, request: Request) -> Element:
        name = request.payload.get("node", "")
        if name:
            return disco.items(self._node(name, request).items, name)
        return disco.items([disco.Item(jid) for jid in self._found.server_items])

    def _node(self, name: str, request: Request) -> Node:
        for node_of in self._found.server_nodes:
            node = node_of(name, request.sender, request.to)
            if node is not None:
                return node
        raise StanzaError("item-not-found", "there is no such node")

    def account_info(self, request: Request) -> Element:
        _refuse_strangers(request)
        node = request.payload.get("node", "")
        if node:
            return self._account_nodes().info(request, node)
        return disco.info(self._found.account_identities, self._found.account_features)

    def account_items(self, request: Request) -> Element:
        _refuse_strangers(request)
        return self._account_nodes().items(request, request.payload.get("node", ""))

    def _account_nodes(self) -> AccountNodes:
        if self._found.account_nodes is None:
            raise StanzaError("item-not-found", "there are no nodes")
        return self._found.account_nodes


def _refuse_strangers(request: Request) -> None:
    """Whether there is such an account is for its contacts to know (§8)."""
    account = request.account
    if account is None:
        raise StanzaError("service-unavailable")
    if request.sender.bare != account.jid and not account.roster.state(request.sender.bare).has_from:
        raise StanzaError("service-unavailable")
