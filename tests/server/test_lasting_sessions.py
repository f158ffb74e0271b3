"""Clients resume their sessions after the server was killed, stopped or started again in its own place."""

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from kit import ns
from kit.carbons import enable, expect_copy
from kit.links import DEADLINE
from kit.muc import create, enter
from kit.people import PASSWORD
from kit.server import Server, Settings
from kit.stanzas import Element, find
from kit.wire import Client, StreamClosed

ROOM = "tea@conference.localhost"


@pytest.fixture
def server(launch: Callable[[Settings], Server]) -> Server:
    return launch({})


class Person:
    """A client with stream management, and what it has read."""

    def __init__(self, server: Server, name: str, resource: str = "phone") -> None:
        self.server, self.name = server, name
        self.client = self._authenticated()
        self.client.bind(resource)
        self.jid = self.client.jid
        self.id = self.client.enable().get("id", "")
        self.client.available()
        self.bodies: list[str] = []
        self.sent: list[str] = []
        self.told = ""  # the last h

    def _authenticated(self) -> Client:
        client = Client(self.server.link())
        client.open()
        client.authenticate(self.name, PASSWORD)
        return client

    def take(self, element: Element) -> None:
        if element.tag == "message" and element.findtext("body") is not None:
            self.bodies.append(element.findtext("body", ""))

    def read_to_the_end(self) -> str:
        """Everything until the server is gone; returns the last words that were no stanza."""
        last, self.client.transparent = "", True
        try:
            while True:
                element = self.client.next()
                self.told = element.get("h", self.told)
                last = element.tag if element.tag not in ("message", "presence", "iq") else last
                self.take(element)
        except StreamClosed as end:
            return last + (" and </stream:stream>" if end.politely else "")
        except OSError:
            return last

    def come_back(self) -> int:
        """Resumes, and reads what comes; how far the server says that it got."""
        before, self.client = self.client, self._authenticated()
        self.client.jid = before.jid
        answer = self.client.resume(self.id, before.handled)
        assert answer.tag == f"{{{ns.SM}}}resumed"
        self.read()
        return int(answer.get("h", "-1"))

    def read(self) -> None:
        for element in self.client.sync():
            self.take(element)


@pytest.fixture
def ann(server: Server) -> Person:
    return Person(server, "guest0")


@pytest.fixture
def ben(server: Server) -> Person:
    return Person(server, "guest1")


@pytest.fixture(autouse=True)
def everybody_goes(server: Server) -> Iterator[None]:
    yield
    server.cut_all()


def talk(person: Person, to: str, type: str, until: threading.Event) -> None:
    """Writes numbered messages until the server is gone or the time is over."""
    number = 0
    while not until.is_set():
        number += 1
        xml = f"<message to='{to}' type='{type}' id='{number}'><body>{number}</body></message>"
        person.sent.append(xml)
        try:
            person.client.send(xml)
        except OSError:
            return
        until.wait(0.001)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_flows_when_the_server_goes_arrives_once_and_in_order(
    server: Server, ann: Person, ben: Person, how: signal.Signals
) -> None:
    create(ann.client, ROOM, "Ann")
    enter(ben.client, ROOM, "Ben")
    ann.read()
    before = ann.client.request_ack()
    over = threading.Event()
    talking = threading.Thread(target=talk, args=(ann, ROOM, "groupchat", over))
    talking.start()
    for _ in range(200):
        ben.take(ben.client.next())
    assert server.process is not None
    server.process.send_signal(how)
    last_words = ben.read_to_the_end()
    over.set()
    talking.join()
    ann.read_to_the_end()
    server.process.wait(DEADLINE)
    assert "</stream:stream>" not in last_words
    if how is signal.SIGTERM:
        assert last_words == f"{{{ns.SM}}}a"
    server.start()
    handled = ann.come_back() - before
    for xml in ann.sent[handled:]:
        ann.client.send(xml)
    ben.come_back()
    for each in (ann, ben):
        while len(each.bodies) < len(ann.sent):
            each.take(each.client.next())
        each.read()
        assert each.bodies == [str(number) for number in range(1, len(ann.sent) + 1)]
    assert not server.failures()


def test_the_last_word_is_how_far_the_server_got(server: Server, ann: Person, ben: Person) -> None:
    before = ann.client.request_ack()
    ann.client.send("".join(f"<message to='{ben.jid}' type='chat'><body>{n}</body></message>" for n in range(50)))
    for _ in range(50):
        ben.take(ben.client.next())
    server.stop()
    ann.read_to_the_end()
    assert ann.told == str(before + 50)
    server.start()
    assert ann.come_back() == before + 50
    ben.come_back()
    assert ben.bodies == [str(n) for n in range(50)]


def test_a_restart_by_command_is_seen_by_nobody(server: Server, ann: Person, ben: Person) -> None:
    create(ann.client, ROOM, "Ann")
    enter(ben.client, ROOM, "Ben")
    ann.read()
    tablet = Person(server, ben.name, "tablet")
    enable(tablet.client)
    server.command("restart")
    for each in (ann, ben, tablet):
        each.read_to_the_end()
    server.wait_until_it_listens()
    for each in (ann, ben, tablet):
        each.come_back()
    ben.client.send(f"<message to='{ann.jid}' type='chat'><body>copied</body></message>")
    expect_copy(tablet.client, "sent", "copied")
    ann.client.expect("message", from_=ben.jid)
    ben.client.send(f"<message to='{ROOM}' type='groupchat'><body>still here</body></message>")
    ann.client.expect("message", from_=f"{ROOM}/Ben")
    ann.client.nothing_before()
    assert '"sessions_restored": 3' in server.command("--json", "status")
    server.stop()


def test_a_session_that_is_switched_off_is_told_of_the_end(launch: Callable[[Settings], Server]) -> None:
    server = launch({"stay": {"client_resume": False}})
    person = Person(server, "guest2")
    server.stop()
    person.client.expect_stream_error("system-shutdown")
    server.start()
    again = person._authenticated()
    assert find(again.resume(person.id, 0), "errors:item-not-found") is not None
    server.cut_all()
