"""What strangers may send to an account, whose contacts they are not: not more than so much in a minute."""

from ..core.throttle import Throttle
from ..host.accounts import Account
from ..host.origin import Clock
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.stanza import message_type

_CONVERSATION = ("chat", "normal", "headline")


class Strangers:
    """Counts by the bare JID of the sender, over all accounts that he writes to; 0 is no limit."""

    def __init__(self, messages_per_minute: int, requests_per_minute: int, clock: Clock) -> None:
        self.limits_messages, self.limits_requests = messages_per_minute > 0, requests_per_minute > 0
        self._messages, self._requests = Throttle(messages_per_minute), Throttle(requests_per_minute)
        self._clock = clock

    def message(self, account: Account, stanza: Element, sender: JID) -> None:
        """A message has come. Raises StanzaError `resource-constraint` for one too many."""
        if message_type(stanza) in _CONVERSATION and _is_stranger(account, sender):
            self._take(self._messages, sender, "messages to people who do not know you")

    def request(self, account: Account, sender: JID) -> None:
        """A subscription request has come. Raises StanzaError `resource-constraint` for one too many."""
        if _is_stranger(account, sender):
            self._take(self._requests, sender, "requests to people who do not know you")

    def _take(self, throttle: Throttle, sender: JID, what: str) -> None:
        bare, now = sender.bare, self._clock.seconds()
        if throttle.is_full(bare, now):
            raise StanzaError("resource-constraint", f"too many {what}; wait a little", "wait")
        throttle.note(bare, now)


def _is_stranger(account: Account, sender: JID) -> bool:
    return account.roster.item(sender.bare) is None and sender.bare != account.jid
