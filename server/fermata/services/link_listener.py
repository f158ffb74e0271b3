"""What is told of the ways to other servers."""

from ..host.federation import Pair
from ..xmpp.element import Element
from ..xmpp.jid import JID


class LinkListener:
    """Who must know how the way to another server is doing. By itself, it does nothing about it."""

    def contacted(self, pair: Pair) -> None:
        """The other server has connected to us: what it is not sure that we have got, it may send again."""

    def stalled(self, pair: Pair) -> None:
        """There is no way; it is being looked for."""

    def up(self, pair: Pair) -> None:
        """There is one again, after it was lost."""

    def dead(self, pair: Pair) -> None:
        """There has been none for an hour, and it looks final."""

    def refused(self, pair: Pair, stanza: Element, to: JID) -> None:
        """A stanza that a room or service here has made could not be handed over, and is gone."""
