"""Connecting to other servers over real sockets; the protocol at our end is a stand-in that takes the peer's word."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from fermata.core.s2s.outgoing import Verify
from fermata.host.federation import Cause, Pair, Trouble, Verdict
from fermata.net import competition, dialler
from fermata.net.dialler import Dialler
from fermata.net.name_servers import NameServers
from fermata.net.names import Names
from fermata.net.resolver import Resolver
from fermata.net.targets import Place, Target
from kit.dns import NameServer
from kit.stalled import stalled
from kit.talker import Talker

HERE = Pair("a.example", "b.example")
PATIENCE = 10.0


class Word(Protocol):
    """Authenticates, or fails, as the first bytes from the peer say; answers a question about a key in the same way."""

    def __init__(self, target: Target, purpose: object, failed: Callable[[Trouble], None], proven: Callable[[], None]):
        self.target, self.purpose, self.failed, self.proven = target, purpose, failed, proven
        self.lost = threading.Event()

    def dataReceived(self, data: bytes) -> None:
        word = data.decode()
        if word == "yes" and isinstance(self.purpose, Verify):
            self.purpose.answered(Verdict.VALID, "")
        elif word == "yes":
            self.proven()
        else:
            self.failed(Trouble(Cause(word), f"says {word}"))
            self.transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        self.lost.set()
        self.failed(Trouble(Cause.STREAM, "the connection is lost"))


class Network:
    """Servers on loopback addresses with one port, each with its own word, and what was connected to."""

    def __init__(self) -> None:
        self.connections: list[Word] = []
        self.port = 0
        self.talkers: list[Talker] = []
        self.stalled = ExitStack()

    def connect(self, pair: Pair, target: Target, purpose: Any, failed: Any, proven: Any) -> Word:
        word = Word(target, purpose, failed, proven)
        self.connections.append(word)
        return word

    def serve(self, address: str, word: str) -> None:
        """Accepts connections and says that; says nothing, and keeps them, if it is empty."""
        self.talkers.append(Talker(word, address, self.port))
        self.port = self.talkers[-1].port

    def stall(self, address: str) -> None:
        """Lets connecting come to no end there."""
        self.port = self.stalled.enter_context(stalled(address, self.port))

    @property
    def addresses(self) -> list[str]:
        return [word.target.address for word in self.connections]

    def close(self) -> None:
        self.stalled.close()
        for talker in self.talkers:
            talker.close()


class Attempt:
    """What becomes of one: `trouble` as soon as it has failed."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []
        self._failed = threading.Event()

    def failed(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)
        self._failed.set()

    @property
    def trouble(self) -> Trouble:
        assert self._failed.wait(PATIENCE)
        (trouble,) = self.troubles
        return trouble


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


@pytest.fixture
def dns() -> Iterator[NameServer]:
    with NameServer() as names:
        yield names


@pytest.fixture(name="dialler")
def make_dialler(reactor: Any, dns: NameServer, network: Network) -> Dialler:
    routes = {"routed.example": Place("127.0.0.7", 1, False)}
    resolver = Resolver(Names(NameServers(reactor, lambda: [dns.address]), Clock()), routes, None)
    return Dialler(reactor, resolver, network.connect)


@pytest.fixture
def dial(dialler: Dialler, run_in: Callable[..., Any]) -> Callable[..., Attempt]:
    def begin(pair: Pair = HERE) -> Attempt:
        attempt = Attempt()
        attempt.cancel = run_in(dialler.open, pair, attempt.failed)
        return attempt

    return begin


@pytest.fixture
def flushed() -> Iterator[list[dict[str, Any]]]:
    """The failures that are logged meanwhile."""
    failures: list[dict[str, Any]] = []

    def observe(event: dict[str, Any]) -> None:
        if "log_failure" in event:
            failures.append(event)

    globalLogPublisher.addObserver(observe)
    yield failures
    globalLogPublisher.removeObserver(observe)


def until(condition: Callable[[], object]) -> None:
    """Polls: what happens on the reactor's thread announces itself in no other way."""
    waiting = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not come about")


def test_the_first_target_that_authenticates_ends_the_search(dial, dns, network):
    for address, word in (("127.0.0.2", "yes"), ("127.0.0.3", "yes")):
        network.serve(address, word)
    dns.srv("b.example", network.port, "one.example", priority=1)
    dns.srv("b.example", network.port, "two.example", priority=2)
    dns.a("one.example", "127.0.0.2")
    dns.a("two.example", "127.0.0.3")
    attempt = dial()
    until(lambda: network.connections)
    assert network.addresses == ["127.0.0.2"]
    assert attempt.troubles == []


@pytest.mark.parametrize("word", ["certificate", "no-tls", "authentication", "host-unknown", "stream"])
def test_the_next_target_has_its_turn_after_any_trouble(dial, dns, network, word):
    network.serve("127.0.0.2", word)
    network.serve("127.0.0.3", "yes")
    dns.srv("b.example", network.port, "one.example", priority=1)
    dns.srv("b.example", network.port, "two.example", priority=2)
    dns.a("one.example", "127.0.0.2")
    dns.a("two.example", "127.0.0.3")
    attempt = dial()
    until(lambda: network.addresses == ["127.0.0.2", "127.0.0.3"])
    assert attempt.troubles == []


def test_a_host_without_address_and_a_dead_port_are_passed_over(dial, dns, network):
    network.serve("127.0.0.3", "yes")
    dns.srv("b.example", network.port, "nowhere.example", priority=1)
    dns.srv("b.example", network.port, "dead.example", priority=2)
    dns.srv("b.example", network.port, "live.example", priority=3)
    dns.a("dead.example", "127.0.0.9")
    dns.a("live.example", "127.0.0.3")
    dial()
    until(lambda: network.addresses == ["127.0.0.3"])


def test_the_next_address_begins_while_the_first_still_hangs(dial, dns, network):
    network.stall("127.0.0.2")
    network.serve("127.0.0.3", "yes")
    dns.srv("b.example", network.port, "host.example")
    dns.a("host.example", "127.0.0.2", "127.0.0.3")
    attempt = dial()
    until(lambda: network.addresses == ["127.0.0.3"])
    assert attempt.troubles == []


def test_an_address_that_lost_the_race_has_its_turn_if_the_winner_fails(dial, dns, network, monkeypatch):
    monkeypatch.setattr(competition, "TCP_SECONDS", 0.2)
    monkeypatch.setattr(competition, "_NEXT_ADDRESS_SECONDS", 0.05)
    network.stall("127.0.0.2")
    network.serve("127.0.0.3", "no-domain")  # which tells less than what comes of the other
    dns.srv("b.example", network.port, "host.example")
    dns.a("host.example", "127.0.0.2", "127.0.0.3")
    assert dial().trouble == Trouble(Cause.SILENT, f"127.0.0.2:{network.port}: nothing answers there in 0.2 s")
    assert network.addresses == ["127.0.0.3"]


def test_who_says_nothing_has_his_time_and_no_more(dial, dns, network, monkeypatch):
    monkeypatch.setattr(dialler, "NEGOTIATION_SECONDS", 0.1)
    monkeypatch.setattr(dialler, "_GRACE_SECONDS", 0.1)
    network.serve("127.0.0.2", "")
    dns.server("b.example", network.port, "127.0.0.2")
    trouble = dial().trouble
    assert trouble == Trouble(Cause.SILENT, f"127.0.0.2:{network.port}: has not come to an end in 0.2 s")
    assert network.connections[0].lost.wait(PATIENCE)


def test_who_cannot_even_be_connected_to_is_told_apart(dial, dns, network, monkeypatch):
    monkeypatch.setattr(competition, "TCP_SECONDS", 0.2)
    network.stall("127.0.0.2")
    dns.server("b.example", network.port, "127.0.0.2")
    assert dial().trouble == Trouble(Cause.SILENT, f"127.0.0.2:{network.port}: nothing answers there in 0.2 s")
    assert dial(Pair("a.example", "routed.example")).trouble == Trouble(
        Cause.REFUSED, "127.0.0.7:1: nobody listens there"
    )


def test_what_the_name_server_says_is_told(dial, dns, network):
    dns.fail("b.example")
    assert dial().trouble.cause is Cause.NAME_SERVER
    assert dial(Pair("a.example", "c.example")).trouble == Trouble(Cause.NO_DOMAIN, "c.example does not exist")


def test_the_trouble_that_tells_most_is_told(dial, dns, network):
    network.serve("127.0.0.2", "certificate")
    network.serve("127.0.0.3", "stream")
    dns.srv("b.example", network.port, "gone.example", priority=0)
    for priority, name in enumerate(("dead", "one", "two")):
        dns.srv("b.example", network.port, f"{name}.example", priority=priority)
    dns.a("dead.example", "127.0.0.9")
    dns.a("one.example", "127.0.0.2")
    dns.a("two.example", "127.0.0.3")
    assert dial().trouble.cause is Cause.CERTIFICATE


def test_what_was_given_up_is_silent_and_leaves_nothing_behind(dial, dns, network, run_in, reactor):
    network.serve("127.0.0.2", "")
    dns.server("b.example", network.port, "127.0.0.2")
    attempt = dial()
    until(lambda: network.connections)
    run_in(attempt.cancel)
    assert network.connections[0].lost.wait(PATIENCE)
    assert attempt.troubles == []
    assert not [each for each in run_in(reactor.getDelayedCalls) if each.active()]


def test_giving_up_works_while_the_name_server_is_asked(dial, dns, network, run_in, reactor):
    dns.ignore("b.example")
    attempt = dial()
    run_in(attempt.cancel)
    assert attempt.troubles == []
    assert not run_in(reactor.getDelayedCalls)


def test_a_fault_of_our_own_is_told_as_well(dial, dns, network, monkeypatch, flushed):
    network.serve("127.0.0.2", "yes")
    dns.server("b.example", network.port, "127.0.0.2")
    monkeypatch.setattr(Resolver, "targets", None)
    assert dial().trouble.text == "the search failed for a fault of our own, which the log tells"
    (event,) = flushed
    assert event["remote"] == "b.example"


def test_nothing_ends_what_has_authenticated(dial, dns, network, run_in, reactor):
    network.serve("127.0.0.2", "yes")
    dns.server("b.example", network.port, "127.0.0.2")
    attempt = dial()
    until(lambda: network.connections and not run_in(reactor.getDelayedCalls))
    run_in(attempt.cancel)
    assert not network.connections[0].lost.is_set()
    network.talkers[0].hang_up()
    assert network.connections[0].lost.wait(PATIENCE)
    assert attempt.troubles == []


def test_many_who_hang_do_not_hinder_another(dial, dns, network):
    network.serve("127.0.0.2", "")
    network.serve("127.0.0.3", "yes")
    for number in range(50):
        dns.server(f"hangs{number}.example", network.port, "127.0.0.2")
        dial(Pair("a.example", f"hangs{number}.example"))
    dns.server("b.example", network.port, "127.0.0.3")
    dial()
    until(lambda: "127.0.0.3" in network.addresses)


def test_very_many_domains_of_one_site_that_hang_do_not_hinder_another(dial, dialler, dns, network):
    dialler._searches.most, dialler._searches.most_of_one = 4, 3
    network.serve("127.0.0.2", "")
    network.serve("127.0.0.3", "yes")
    for number in range(10):
        dns.server(f"hangs{number}.evil.example", network.port, "127.0.0.2")
        dial(Pair("a.example", f"hangs{number}.evil.example"))
    dns.server("b.example", network.port, "127.0.0.3")
    dial()
    until(lambda: "127.0.0.3" in network.addresses)


def test_very_many_wait_for_their_turn(dial, dialler, dns, network, run_in):
    dialler._searches.most = 1
    network.serve("127.0.0.2", "")
    network.serve("127.0.0.3", "yes")
    dns.server("hangs.example", network.port, "127.0.0.2")
    dns.server("b.example", network.port, "127.0.0.3")
    first = dial(Pair("a.example", "hangs.example"))
    until(lambda: network.addresses == ["127.0.0.2"])
    given_up, second = dial(), dial()
    run_in(given_up.cancel)
    run_in(first.cancel)
    until(lambda: network.addresses == ["127.0.0.2", "127.0.0.3"])
    assert second.troubles == []


@pytest.fixture
def ask(dialler: Dialler, run_in: Callable[..., Any]) -> Callable[[], tuple[Verdict, str]]:
    def verify() -> tuple[Verdict, str]:
        answers: list[tuple[Verdict, str]] = []
        run_in(dialler.verify, HERE, "id", "key", lambda *answer: answers.append(answer))
        until(lambda: answers)
        (answer,) = answers
        return answer

    return verify


def test_a_key_is_asked_about_until_one_answers(ask, dns, network, run_in, reactor):
    network.serve("127.0.0.2", "stream")
    network.serve("127.0.0.3", "yes")
    dns.srv("b.example", network.port, "one.example", priority=1)
    dns.srv("b.example", network.port, "two.example", priority=2)
    dns.a("one.example", "127.0.0.2")
    dns.a("two.example", "127.0.0.3")
    assert ask() == (Verdict.VALID, "")
    purpose = network.connections[1].purpose
    assert (purpose.stream_id, purpose.key) == ("id", "key")
    assert not run_in(reactor.getDelayedCalls)  # that could do something to it later


def test_that_nobody_could_be_asked_is_an_answer(ask):
    assert ask() == (Verdict.ERROR, "b.example does not exist")


def test_a_server_that_hangs_has_its_time_to_answer(ask, dns, network, monkeypatch):
    monkeypatch.setattr(dialler, "_VERIFICATION_SECONDS", 0.3)
    network.serve("127.0.0.2", "")
    dns.server("b.example", network.port, "127.0.0.2")
    assert ask() == (Verdict.ERROR, "b.example could not be reached in time")
    assert network.connections[0].lost.wait(PATIENCE)
