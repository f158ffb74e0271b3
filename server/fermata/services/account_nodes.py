"""The nodes of accounts, as requests see them: each account is a publish-subscribe service (XEP-0060 §9)."""

from collections.abc import Awaitable

from ..core.pubsub.node import Node
from ..host.accounts import Account
from ..host.iq import Reply, Request
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
    """Answers for all accounts."""

    def __init__(self, publishing: Publishing, eventing: PersonalEventing) -> None:
        self._publishing, self._eventing = publishing, eventing

    def answer(self, request: Request) -> Reply | Awaitable[Reply]:
        """What answers a request. Raises StanzaError."""
        account = request.owner
        audience = _Contacts(account, self._eventing)
        return self._publishing.answer(request, account, audience, requester_of(account, request.sender))
