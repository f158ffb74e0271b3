"""A server that talks to others, whatever program it is: people have accounts on it and log in."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator

from kit import ns
from kit.people import PASSWORD
from kit.wire import SocketLink

from .person import Person
from .place import Place

GUESTS = 6


class Site(ABC):
    """`software` is what the program calls itself (XEP-0092)."""

    software: str

    def __init__(self, place: Place, people: int) -> None:
        """With accounts for so many people, beside the guests."""
        self.place = place
        self.accounts = [f"p{number}" for number in range(GUESTS + people)]  # localparts
        self.clients: list[Person] = []
        self._fresh: Iterator[str] = iter(self.accounts[GUESTS:])
        self._guests: Iterator[str] = iter(self.accounts[:GUESTS])
        self._rooms = itertools.count(1)
        self._devices = itertools.count(1)

    @property
    def domain(self) -> str:
        return self.place.domain

    @abstractmethod
    def start(self) -> None:
        """Run, and listen."""

    @abstractmethod
    def stop(self) -> None:
        """End, with a farewell to everybody."""

    @abstractmethod
    def kill(self) -> None:
        """End as a crash does."""

    @abstractmethod
    def said(self) -> str:
        """Its log."""

    def failures(self) -> str:
        """Its log since the last time, if there is a traceback in it; else nothing."""
        return ""

    @abstractmethod
    def client_address(self) -> tuple[str, int]:
        """Where clients connect."""

    def room(self) -> str:
        """The address of a room that does not exist yet."""
        return f"room{next(self._rooms)}@{self.place.rooms}"

    def person(self) -> str:
        """The localpart of an account that nobody has used yet."""
        name = next(self._fresh, None)
        assert name, "more accounts are needed: raise PEOPLE"
        return name

    def bound(self, name: str, resource: str = "phone") -> Person:
        """A session that has sent no presence."""
        client = Person(SocketLink(self.client_address()), self.domain)
        self.clients.append(client)
        client.open()
        client.authenticate(name, PASSWORD)
        client.bind(resource)
        return client

    def online(self, name: str = "", resource: str = "phone") -> Person:
        """A session that is available; of a new person, if no name is given."""
        client = self.bound(name or self.person(), resource)
        client.get(f"<query xmlns='{ns.ROSTER}'/>")  # interested in its changes, as every client
        client.available()
        return client

    def guest(self) -> Person:
        """Somebody who is available and whose account others had before: for tests that leave no trace in it."""
        # Under a name of its own: what is still under way to the last one is lost.
        return self.online(self.guest_name(), f"device{next(self._devices)}")

    def guest_name(self) -> str:
        """The localpart of an account that nobody else uses in this test, and others used before."""
        name = next(self._guests, None)
        assert name, "more guests in one test than GUESTS"
        return name

    def part(self) -> None:
        """Everybody goes, at the end of a test."""
        for client in self.clients:
            client.close()
        self.clients.clear()
        self._guests = iter(self.accounts[:GUESTS])
