"""How much somebody who connects to us can make us do: keys to be asked about, connections to be held."""

from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.address import IPv6Address

from fermata.core.s2s.pair import Pair, Verdict
from fermata.net.s2s_listeners import ServerListeners, network_of
from fermata.xmpp import namespaces as ns
from kit.ca import self_signed
from kit.pipes import Peer, PipeEnd, connect
from kit.servers_on_net import Net, Server

ONE, OTHER = "192.0.2.1", "198.51.100.7"
AT_ONCE = 40
OF_A_STREAM = 8


class Asked(Server):
    """Its questions about keys hang until the test answers them."""

    def __init__(self, net: Net, directory: Path) -> None:
        super().__init__(net, directory, self_signed("b.example"), None, "b.example")
        self.require_tls = False
        self.questions: list[Callable[[Verdict, str], None]] = []
        self.asked: list[str] = []

    def verify(self, pair: Pair, stream_id: str, key: str, answered: Callable[[Verdict, str], None]) -> None:
        self.asked.append(pair.remote)
        self.questions.append(answered)

    def answer(self, count: int) -> None:
        """The oldest questions are answered."""
        answered, self.questions = self.questions[:count], self.questions[count:]
        for each in answered:
            each(Verdict.VALID, "")


@pytest.fixture
def here(net: Net, tmp_path: Path) -> Asked:
    return Asked(net, tmp_path)


def show_keys(net: Net, here: Asked, name: str, address: str, count: int = OF_A_STREAM) -> tuple[Peer, PipeEnd]:
    """Somebody connects, and claims to be so many domains at once."""
    peer = Peer()
    end, _ = connect(net.clock, peer, here.accepting(address))
    peer.say(f"<stream:stream xmlns='{ns.SERVER}' xmlns:stream='{ns.STREAMS}' xmlns:db='{ns.DIALBACK}' version='1.0'")
    peer.say(f" from='{name}.example' to='b.example'>")
    for number in range(count):
        peer.say(f"<db:result from='{name}{number}.example' to='b.example'>key</db:result>")
    net.run(0)
    return peer, end


def test_whoever_shows_very_many_keys_waits_for_himself_alone(net: Net, here: Asked) -> None:
    for name in "cdefgh":
        show_keys(net, here, name, ONE)
    assert len(here.asked) == AT_ONCE
    show_keys(net, here, "x", OTHER, 1)
    assert here.asked[AT_ONCE:] == ["x0.example"]


def test_keys_that_have_waited_are_asked_about_in_the_end(net: Net, here: Asked) -> None:
    peers = [show_keys(net, here, name, ONE)[0] for name in "cdefgh"]
    here.answer(AT_ONCE)
    here.answer(AT_ONCE)
    net.run(0)
    assert [peer.heard.count(b"type='valid'") for peer in peers] == [OF_A_STREAM] * 6
    assert here.questions == []


def test_who_has_gone_is_not_asked_about_and_hinders_nobody(net: Net, here: Asked) -> None:
    ends = [show_keys(net, here, name, ONE)[1] for name in "cdefgh"]
    for end in ends:
        end.abortConnection()
    show_keys(net, here, "x", ONE)
    here.answer(AT_ONCE)
    assert here.asked[AT_ONCE:] == [f"x{number}.example" for number in range(OF_A_STREAM)]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
    ],
)
def test_whoever_has_an_address_of_ipv6_has_very_many(host: str, network: str) -> None:
    assert network_of(host) == network


def test_all_addresses_of_one_network_count_together(net: Net, here: Asked) -> None:
    listeners = ServerListeners(here.shared, 2)
    made = [listeners.buildProtocol(IPv6Address("TCP", f"2001:db8::{number}", 40_000)) for number in range(1, 4)]
    assert [each is None for each in made] == [False, False, True]
    assert listeners.buildProtocol(IPv6Address("TCP", "2001:db8:0:1::1", 40_000)) is not None
