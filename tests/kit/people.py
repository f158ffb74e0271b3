"""Clients with accounts: fresh ones for tests that leave traces in an account, borrowed ones for the others."""

import itertools
from collections.abc import Iterator

from . import ns
from .server import Server
from .wire import Client

PASSWORD = "o-wild-west-wind"


class Accounts:
    """Localparts of accounts that exist: `fresh` ones nobody has used yet, `borrowed` ones that others had before."""

    FRESH = 450
    BORROWED = 8

    def __init__(self) -> None:
        self.names = [f"p{number}" for number in range(self.FRESH)]
        self.shared = [f"guest{number}" for number in range(self.BORROWED)]
        self._fresh = iter(self.names)

    def all(self, domain: str) -> list[str]:
        return [f"{name}@{domain}" for name in self.names + self.shared]

    def fresh(self) -> str:
        name = next(self._fresh, None)
        assert name, "more accounts are needed: raise Accounts.FRESH"
        return name


class People:
    """Logs people in on one server, and out again at the end of a test."""

    def __init__(self, server: Server, names: Iterator[str], domain: str = "localhost") -> None:
        self.server = server
        self.domain = domain
        self.clients: list[Client] = []
        self._names = names

    def name(self) -> str:
        """The localpart of another account."""
        return next(self._names)

    def connect(self, source: str = "") -> Client:
        """A connection on which nothing was said."""
        client = Client(self.server.link(source), self.domain)
        self.clients.append(client)
        return client

    def opened(self, tls: bool = False) -> Client:
        """A connection with a stream, before authentication."""
        client = self.connect()
        client.open()
        if tls:
            client.start_tls(self.domain)
        return client

    def direct_tls(self) -> Client:
        """A connection with a stream over direct TLS."""
        client = Client(self.server.direct_tls(), self.domain)
        self.clients.append(client)
        client.open()
        return client

    def authenticated(self, name: str | None = None, tls: bool = False) -> Client:
        """A stream after authentication, before binding."""
        client = self.opened(tls)
        client.authenticate(name or self.name(), PASSWORD)
        return client

    def bound(self, name: str | None = None, resource: str | None = None, tls: bool = False) -> Client:
        """A session that has sent no presence."""
        client = self.authenticated(name, tls)
        client.bind(resource)
        return client

    def online(self, name: str | None = None, resource: str | None = None, presence: str = "") -> Client:
        """A session that is available; `presence` is what its first presence contains."""
        client = self.bound(name, resource)
        client.available(presence)
        return client

    def another(self, client: Client, resource: str | None = None, presence: str = "") -> Client:
        """A further available resource of the same account; the first one's news of it is dropped."""
        other = self.online(client.jid.split("@")[0], resource, presence)
        client.sync()
        return other

    def befriend(self, ann: Client, ben: Client) -> None:
        """Subscribe two available people to each other's presence, and drop all that comes of it."""
        for asking, asked in ((ann, ben), (ben, ann)):
            asking.send(f"<presence type='subscribe' to='{asked.bare}'/>")
            asked.wait_for(lambda stanza: stanza.get("type") == "subscribe")
            asked.send(f"<presence type='subscribed' to='{asking.bare}'/>")
            asked.sync()
            asking.sync()
        ann.sync()
        ben.sync()

    def go(self) -> None:
        """Log everybody out."""
        for client in self.clients:
            if client.jid:
                client.close()
            else:
                client.cut()


def roster_of(client: Client) -> dict[str, dict[str, str]]:
    """The roster as the server has it now: the attributes of each item, by JID."""
    result = client.get(f"<query xmlns='{ns.ROSTER}'/>")
    return {item.get("jid", ""): dict(item.attrib) for item in result.findall("roster:query/roster:item", ns.PREFIXES)}


def cycle(names: list[str]) -> Iterator[str]:
    """Borrowed names, each once: a test that needs more people than there are should say so."""
    yield from names
    raise AssertionError("more people than Accounts.BORROWED")


def rooms(service: str) -> Iterator[str]:
    """Addresses of rooms that nobody has been in."""
    return (f"room{number}@{service}" for number in itertools.count(1))
