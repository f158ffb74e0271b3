"""The nodes of accounts, as requests see them: each account is a publish-subscribe service (XEP-0060 §8)."""

from collections.abc import Awaitable

from ..core.pubsub import disco
from ..core.pubsub.node import Node
from ..host.accounts import Account
from ..host.iq import Reply, Request
from ..host.origin import Clock
from ..xmpp.element import Element
from ..xmpp.rsm import Page
from .pep import PersonalEventing, requester_of
from .pubsub import Publishing
from .pubsub_notices import Send


class _Contacts:
    """Who hears of the nodes of one account."""

    def __init__(self, account: Account, eventing: PersonalEventing) -> None:
        self._account, self._eventing = account, eventing

    def tell(self, node: Node, send: Send) -> None:
        """See Audience."""
        self._eventing.tell(self._account, node, send)


class AccountNodes:
    """Answers for all accounts. Everything raises StanzaError."""

    def __init__(self, publishing: Publishing, eventing: PersonalEventing, clock: Clock) -> None:
        self._publishing, self._eventing, self._clock = publishing, eventing, clock

    def answer(self, request: Request) -> Reply | Awaitable[Reply]:
        """What answers a request about nodes."""
        account = request.owner
        audience = _Contacts(account, self._eventing)
        return self._publishing.answer(request, account, audience, requester_of(account, request.sender))

    def info(self, request: Request, node: str) -> Element:
        """The disco#info of a node."""
        account = request.owner
        return disco.info(account.nodes, node, requester_of(account, request.sender))

    def items(self, request: Request, node: str) -> Element:
        """The disco#items of a node; of the account itself if that is empty."""
        account, now = request.owner, self._clock.seconds()
        return disco.items(account.nodes, node, requester_of(account, request.sender), now, Page.parse(request.payload))
