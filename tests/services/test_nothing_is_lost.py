"""Whatever becomes of connections, sessions and the process: what was acknowledged arrives, and to no session twice.

Romeo sends numbered messages to Juliet, who has up to two clients, with carbons (XEP-0280) or without. Everybody has
stream management. Connections are cut, sessions resumed, replaced, closed and forgotten at random, and the process is
killed.
"""

import random
from collections.abc import Callable

import pytest

from fermata.app.config_tables import Archive, Config
from kit import ns
from kit.carbons import ENABLE
from kit.stanzas import find
from kit.wire import Client
from kit.world import World

STEPS = 150
RESUMED = f"{{{ns.SM}}}resumed"


class Person:
    """A client that keeps its session as long as it can, and begins a new one when it can't."""

    def __init__(self, world: World, address: str) -> None:
        self.world, self.address = world, address
        self.client: Client | None = None
        self.id = ""
        self.h = 0  # stanzas handled in this session
        self.got: list[str] = []  # messages that came in this session
        self.wants_carbons = False

    def connect(self) -> "str | None":
        """Comes back, with the old session if it is still there; else returns how far that one got, if we know."""
        client = self.world.authenticated(self.address.partition("/")[0])
        client.transparent = True
        answer = client.resume(self.id, self.h)
        client.jid = self.address
        self.client = client
        if answer.tag == RESUMED:
            self.resumed(int(answer.get("h", "")))
            return None
        client.bind(self.address.partition("/")[2])
        self.id = client.enable().get("id", "")
        self.h, self.got = 0, []
        if self.wants_carbons:
            client.set(ENABLE)
            self.h += 1
        client.send("<presence/>")
        return answer.get("h") or ""

    def resumed(self, h: int) -> None:
        """The server has handled so many of ours."""

    def read(self) -> None:
        """Takes in everything that has come."""
        if self.client is not None:
            for stanza in self.client.sync():
                self.h += stanza.tag in ("message", "presence", "iq")
                if stanza.tag == "message" and stanza.get("type") != "error":
                    copied = find(stanza, "carbons:received/forward:forwarded/message")
                    id = (stanza if copied is None else copied).get("id", "")
                    assert id not in self.got, "a session was told twice"
                    self.got.append(id)
            self.h += 1  # the answer to the ping

    def take_in(self) -> None:
        """The same; and who is to say so says so."""
        self.read()

    def cut(self) -> None:
        if self.client is not None:
            self.client.cut()
            self.client = None


class Romeo(Person):
    """He sends, and sends again what the server has not handled."""

    def __init__(self, world: World, address: str) -> None:
        super().__init__(world, address)
        self.sent: list[str] = []  # stanzas in this session, by id; empty for those that are no messages
        self.count = 0
        self.queue: list[str] = []  # of ids, to be sent in the next session

    def connect(self) -> "str | None":
        h = super().connect()
        if h is not None:
            unhandled = self.sent[int(h or 0) :]
            self.sent = [""]  # the presence
            for id in unhandled:
                if id:
                    self.say(id)
        return h

    def resumed(self, h: int) -> None:
        assert self.client is not None
        for id in self.sent[h:]:
            self.client.send(self.message(id) if id else "<presence/>")

    def message(self, id: str) -> str:
        to = "juliet@localhost" if int(id) % 3 else "juliet@localhost/balcony"
        return f"<message to='{to}' type='chat' id='{id}'><body>{id}</body></message>"

    def say(self, id: str) -> None:
        self.sent.append(id)
        if self.client is not None:
            self.client.send(self.message(id))

    def read(self) -> None:
        if self.client is not None:
            self.sent.append("")  # the ping
        super().read()


class Juliet(Person):
    """One of her clients; `has` is what any of them has, and has said so."""

    def __init__(self, world: World, address: str, has: set[str], wants_carbons: bool) -> None:
        super().__init__(world, address)
        self.has, self.wants_carbons = has, wants_carbons

    def take_in(self) -> None:
        super().take_in()
        if self.client is not None:
            self.client.ack(self.h)
            self.has.update(self.got)


def step(chance: random.Random, world: World, romeo: Romeo, juliets: list[Juliet]) -> None:
    person: Person = chance.choice([romeo, *juliets])
    deeds = {"say": 50, "cut": 12, "read": 20, "close": 4, "wait": 6, "crash": 1, "outlast": 1}
    deed = chance.choices([*deeds], [*deeds.values()])[0]
    if deed == "say":
        romeo.count += 1
        romeo.say(str(romeo.count))
    elif deed == "cut":
        person.cut()
    elif deed == "read":
        if person.client is None:
            person.connect()
        person.take_in()
    elif deed == "close" and isinstance(person, Juliet) and person.client is not None:
        person.take_in()
        person.client.send("</stream:stream>")
        person.client = None
    elif deed == "outlast":
        others = [each for each in [romeo, *juliets] if each is not person]
        person.cut()
        for _ in range(3):
            world.advance(2500)
            for each in others:
                each.cut()
                each.connect()
                each.take_in()
    elif deed in ("wait", "crash"):
        for each in [romeo, *juliets]:
            each.cut()
        if deed == "crash":
            world.crash()
        else:
            world.advance(chance.choice([1, 29, 31, 7199, 7201]))


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost(worlds: Callable[[Config], World], seed: int, archive: bool) -> None:
    world = worlds(Config(archive=Archive(accounts=archive)))
    chance = random.Random(seed)
    has: set[str] = set()
    romeo = Romeo(world, "romeo@localhost/orchard")
    juliets = [Juliet(world, f"juliet@localhost/{resource}", has, seed % 2 == 1) for resource in ("balcony", "chamber")]
    world.add_account("juliet@localhost")
    romeo.connect()
    for _ in range(STEPS):
        step(chance, world, romeo, juliets)
    if romeo.client is None:
        romeo.connect()
    romeo.read()
    for juliet in juliets:
        juliet.cut()
    world.advance(7201)
    juliets[0].connect()
    juliets[0].take_in()
    assert has >= {str(number) for number in range(1, romeo.count + 1)}
    assert romeo.got == []
