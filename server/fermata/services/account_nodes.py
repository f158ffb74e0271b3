"""The nodes of accounts, as requests see them: each account is a publish-subscribe service (XEP-0060 §8)."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..core.pubsub import disco
from ..core.pubsub.access import Requester
from ..core.pubsub.effects import Effects
from ..core.pubsub.node import Node
from ..host.accounts import Account
from ..host.iq import Answer, Reply, Request
from ..host.origin import Clock
from ..xmpp.element import Element
from ..xmpp.pubsub import NodeRequest, parse
from ..xmpp.rsm import Page
from .pep import PersonalEventing, requester_of
from .pubsub import Publishing
from .pubsub_notices import Notices, Send

Substitute = Callable[[Account, Requester, NodeRequest, Element], Coroutine[Any, Any, Answer | None]]


class _Contacts:
    """Who hears of the nodes of one account."""

    def __init__(self, account: Account, eventing: PersonalEventing) -> None:
        self._account, self._eventing = account, eventing

    def tell(self, node: Node, send: Send) -> None:
        """See Audience."""
        self._eventing.tell(self._account, node, send)


class AccountNodes:
    """Answers for all accounts. Everything raises StanzaError."""

    def __init__(self, publishing: Publishing, eventing: PersonalEventing, notices: Notices, clock: Clock) -> None:
        self._publishing, self._eventing, self._notices, self._clock = publishing, eventing, notices, clock
        #: nodes that are made of something else: each is asked first, and may leave the answer to us with None
        self.substitutes: dict[str, Substitute] = {}

    def answer(self, request: Request) -> Reply | Awaitable[Reply]:
        """What answers a request about nodes."""
        account, asked = request.owner, parse(request.iq)
        requester, substitute = requester_of(account, request.sender), self.substitutes.get(asked.node)
        if substitute is not None:
            return self._substituted(substitute, account, requester, asked, request.iq)
        return self._publishing.answer(asked, request.iq, account, self._audience(account), requester)

    async def _substituted(
        self, substitute: Substitute, account: Account, requester: Requester, asked: NodeRequest, iq: Element
    ) -> Reply:
        found = await substitute(account, requester, asked, iq)
        if found is not None:
            return found
        answer = self._publishing.answer(asked, iq, account, self._audience(account), requester)
        return await answer if isinstance(answer, Awaitable) else answer

    def act(self, account: Account, requester: Requester, asked: NodeRequest) -> Effects:
        """What follows from a request that changes something."""
        return self._publishing.act(account.nodes, requester, asked)

    def settle(self, account: Account, effects: Effects, iq: Element | None = None) -> Answer:
        """Keeps what a step made; when that is durable, it is answered and told."""
        return self._publishing.settle(account, self._audience(account), effects, iq)

    def tell_own(self, account: Account, node: Node, event: Element) -> None:
        """Sends an event to the account's own clients, as far as they want to hear of that node."""
        self._notices.tell_each(
            account.jid, node, event, lambda send: self._eventing.tell_own(account, node.name, send)
        )

    def _audience(self, account: Account) -> _Contacts:
        return _Contacts(account, self._eventing)

    def info(self, request: Request, node: str) -> Element:
        """The disco#info of a node."""
        account = request.owner
        return disco.info(account.nodes, node, requester_of(account, request.sender))

    def items(self, request: Request, node: str) -> Element:
        """The disco#items of a node; of the account itself if that is empty."""
        account, now = request.owner, self._clock.seconds()
        return disco.items(account.nodes, node, requester_of(account, request.sender), now, Page.parse(request.payload))
