"""Other servers: the way out for all that is not here, and what their connections need from the inside.

See docs/design/0004-federation.md.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

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


class Terms(NamedTuple):
    """To whom we speak, and how: `policies` are "allow", "block" or "secure", by domain."""

    secret: str
    requires_certificates: bool
    policies: Mapping[str, str]

    def is_blocked(self, domain: str) -> bool:
        """Whether nobody there is spoken to."""
        return self.policies.get(domain) == "block"


class Federation:
    """All other servers (see host.router.Destination and host.federation.Federation)."""

    def __init__(self, terms: Terms, served: Callable[[str], bool], links: ServerLinks, spool: OnwardSpool) -> None:
        """`served` tells our own domains."""
        self._terms, self.is_served, self.links, self._spool = terms, served, links, spool
        self.is_blocked = terms.is_blocked

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

    def requires_certificate(self, domain: str) -> bool:
        """See Federation."""
        return self._terms.requires_certificates or self._terms.policies.get(domain) == "secure"

    def key(self, local: str, remote: str, stream_id: str) -> str:
        """See Federation."""
        return dialback_key(self._terms.secret, remote, local, stream_id)

    def trunk(self, connection: Connection) -> Trunk:
        """See Federation."""
        return self.links.trunk(connection)
