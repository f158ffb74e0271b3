"""The way out for messages to those who have no account here: they are in the archive of a sender who has one."""

from ..host.origin import Origin
from ..host.router import Destination
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .messages import Messages


class SentMessages:
    """Another destination (see host.router.Destination), before which each message is kept for its sender."""

    def __init__(self, destination: Destination, messages: Messages) -> None:
        self._destination, self._messages = destination, messages
        self.presence, self.iq, self.deliver = destination.presence, destination.iq, destination.deliver

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a message."""
        self._messages.keep_sent(stanza, to, sender, origin)
        self._destination.message(stanza, to, sender, origin)
