"""Other servers: the way out for all that is not here, and what their connections need from the inside.

See docs/design/0004-federation.md.
"""

from collections.abc import Callable
from typing import Protocol

from ..core.s2s.dialback import key as dialback_key
from ..host.federation import Connection, Pair, Trunk
from ..host.origin import Origin
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from .onward_spool import OnwardSpool
from .server_link import ServerLink
from .server_links import ServerLinks
from .server_trunk import pair_of


class Terms(Protocol):
    """To whom we speak, and how."""

    def is_blocked(self, domain: str) -> bool:
        """Whether nobody at a domain is spoken to."""

    def requires_certificate(self, domain: str) -> bool:
        """Whether only a valid certificate proves a domain."""


class Federation:
    """All other servers (see host.router.Destination and host.federation.Federation)."""

    def __init__(
        self, terms: Terms, secret: str, served: Callable[[str], bool], links: ServerLinks, spool: OnwardSpool
    ) -> None:
        """`secret` makes our dialback keys; `served` tells our own domains."""
        self.is_blocked, self.requires_certificate = terms.is_blocked, terms.requires_certificate
        self._secret, self.is_served, self.links, self._spool = secret, served, links, spool

    # -- the way out (see host.router.Destination)

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a message. One whose sender is told what is safe here is on disk before it is told."""
        link = self._usable(sender, to)
        payload = payload_of(stanza)
        step = self._spool.keep(stanza, payload, to) if origin.is_counting else None
        origin.emit(0 if step is None else step.ticket, step, link.send, payload, to)

    def presence(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a presence or an iq, in the order of its origin."""
        origin.emit(0, None, self._usable(sender, to).send, payload_of(stanza), to)

    iq = presence

    def deliver(self, payload: Payload, to: JID) -> None:
        """Takes what a room or an account here has made."""
        try:
            link = self.links.of(pair_of(payload, to))
        except StanzaError:
            return
        link.send(payload, to)

    def _usable(self, sender: JID, to: JID) -> ServerLink:
        link = self.links.of(Pair(sender.domain, to.domain))
        link.check()
        return link

    # -- for connections (see host.federation.Federation)

    def key(self, local: str, remote: str, stream_id: str) -> str:
        """See Federation."""
        return dialback_key(self._secret, remote, local, stream_id)

    def trunk(self, connection: Connection) -> Trunk:
        """See Federation."""
        return self.links.trunk(connection)
