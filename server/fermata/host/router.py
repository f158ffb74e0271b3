"""To whom a stanza goes, by the domain of its address."""

from typing import Protocol

from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .origin import Origin


class Destination(Protocol):
    """What answers for a domain: our accounts, our rooms, other servers.

    `sender` is the verified `from`, `to` the prepared addressee. Raises StanzaError; the origin is then answered.
    """

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a message."""

    def presence(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes a presence."""

    def iq(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Takes an iq."""

    def deliver(self, payload: Payload, to: JID) -> None:
        """Takes a stanza that a room or an account here has made, serialised already; never raises."""


class Router:
    """Domains and what answers for them."""

    def __init__(self) -> None:
        self._destinations: dict[str, Destination] = {}
        self.elsewhere: Destination = Nowhere()  #: what answers for all domains that are not ours

    def serve(self, domain: str, destination: Destination) -> None:
        """From now on `destination` answers for `domain`. Raises ValueError if something does already."""
        if domain in self._destinations:
            raise ValueError(f"two destinations for the domain {domain}")
        self._destinations[domain] = destination

    def serves(self, domain: str) -> bool:
        """Whether a domain is one of ours."""
        return domain in self._destinations

    def route(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Hands a stanza to whoever answers for its addressee. Raises StanzaError."""
        destination = self._destinations.get(to.domain, self.elsewhere)
        kind = stanza.tag
        if kind == "message":
            destination.message(stanza, to, sender, origin)
        elif kind == "presence":
            destination.presence(stanza, to, sender, origin)
        else:
            destination.iq(stanza, to, sender, origin)

    def deliver(self, payload: Payload, to: JID) -> None:
        """Hands on a stanza that was made here."""
        self._destinations.get(to.domain, self.elsewhere).deliver(payload, to)


class Nowhere:
    """What answers for all other domains where there are no streams to other servers."""

    def message(self, stanza: Element, to: JID, sender: JID, origin: Origin) -> None:
        """Refuses it."""
        raise StanzaError("remote-server-not-found", f"there is no way to {to.domain}")

    presence = iq = message

    def deliver(self, payload: Payload, to: JID) -> None:
        """Drops it: nobody there can have asked for it."""
