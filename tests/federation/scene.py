"""A crime and its witnesses: a server under test, a healthy one whose people talk on, and a villain's domain."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from kit.bystanders import Bystanders
from kit.ca import Issued

from .calm import Calm
from .internet import Internet
from .person import Person
from .place import SERVERS, Place
from .scripted import Script, Scripted, is_good
from .site import Site
from .stream import Caller

_NUMBERS = itertools.count(1)


class Scene:
    """`ann` is a person on the server under test: whatever reaches her has been delivered."""

    def __init__(self, net: Internet, victim: Site, honest: Site) -> None:
        self.net, self.victim, self.honest = net, victim, honest
        self.ann: Person = victim.guest()
        self.calm = Calm(Bystanders(victim.guest(), honest.guest()))
        self.villain: Place = self.domain()
        self._calls: list[Caller] = []

    def domain(self) -> Place:
        """Another domain, with an address and nobody there."""
        place = self.net.place(f"villain{next(_NUMBERS)}.example")
        self.net.publish(place, in_file=False)
        return place

    @contextmanager
    def server(self, script: Script = is_good, place: Place | None = None) -> Iterator[Scripted]:
        """The villain's own server (or another one), as long as the context lasts."""
        place = place or self.villain
        with Scripted(place.address, self.net.certificate(place.domain), script) as server:
            yield server

    def call(self, ours: str = "", issued: Issued | None = None, theirs: str = "") -> Caller:
        """A connection to the server under test: from the villain, with his good certificate, if nothing is said."""
        ours = ours or self.villain.domain
        issued = issued or self.net.certificate(self.villain.domain)
        caller = Caller(self.victim.place.address, SERVERS, ours, theirs or self.victim.domain, issued)
        self._calls.append(caller)
        return caller

    def letter(self, sender: str = "", to: str = "", body: str = "gotcha") -> str:
        """A message that must not arrive: from the villain's domain to ann, if nothing is said."""
        sender = sender or f"mallory@{self.villain.domain}/x"
        return f"<message type='chat' from='{sender}' to='{to or self.ann.jid}' id='l1'><body>{body}</body></message>"

    def nothing_was_delivered(self) -> None:
        self.ann.nothing_before()

    def leave(self) -> None:
        for caller in self._calls:
            caller.cut()
