"""Finding a domain's server, with a real name server."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, just, lists, tuples
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.names import dns as real_dns

from fermata.host.federation import Cause
from fermata.net.name_servers import NameServerError, NameServers, SystemNameServers, _unpacked
from fermata.net.names import Names, UnreachableError
from fermata.net.resolver import Resolver
from fermata.net.targets import Place, Service
from kit.dns import NameServer

Run = Callable[..., Any]


@pytest.fixture
def dns() -> Iterator[NameServer]:
    with NameServer() as names:
        yield names


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    return tmp_path / "hosts"


@pytest.fixture
def resolver(reactor: Any, dns: NameServer, clock: Clock, hosts: Path) -> Resolver:
    servers = NameServers(reactor, lambda: [dns.address])
    return Resolver(Names(servers, clock), {"routed.example": Place("127.0.0.9", 5270, True)}, hosts)


@pytest.fixture
def places(resolver: Resolver, run_in: Run) -> Callable[[str], list[str]]:
    return lambda domain: [str(place) for place in run_in(resolver.places, domain)]


@pytest.fixture
def addresses(resolver: Resolver, run_in: Run) -> Callable[[str], list[str]]:
    return lambda host: [each.address for each in run_in(resolver.targets, Place(host, 5269, False))]


def refusal(find: Callable[[str], object], name: str) -> tuple[Cause, str]:
    with pytest.raises(UnreachableError) as caught:
        find(name)
    return caught.value.trouble.cause, caught.value.trouble.text


def test_both_kinds_of_records_are_found(dns, places):
    dns.srv("b.example", 5269, "one.b.example", priority=10)
    dns.srv("b.example", 5270, "two.b.example", service="xmpps-server", priority=5)
    assert places("b.example") == ["tls:two.b.example:5270", "one.b.example:5269"]


def test_the_records_can_be_shown(dns, resolver, run_in):
    dns.srv("b.example", 5269, "one.b.example", priority=10, weight=3)
    assert run_in(resolver.services, "b.example") == [Service(10, 3, "one.b.example", 5269, False)]


def test_without_records_the_domain_is_the_host(dns, places):
    dns.a("b.example", "127.0.0.1")
    assert places("b.example") == ["b.example:5269"]
    assert sorted(dns.asked) == [("_xmpp-server._tcp.b.example", "SRV"), ("_xmpps-server._tcp.b.example", "SRV")]


def test_a_domain_may_say_that_it_has_no_server(dns, places):
    dns.srv("b.example", 0, ".")
    cause, text = refusal(places, "b.example")
    assert (cause, text.split(" (")[0]) == (
        Cause.NO_DOMAIN,
        "b.example says that no XMPP is spoken there with other servers",
    )


def test_no_direct_tls_says_nothing_of_the_rest(dns, places):
    dns.srv("b.example", 0, ".", service="xmpps-server")
    assert places("b.example") == ["b.example:5269"]
    dns.srv("c.example", 0, ".", service="xmpps-server")
    dns.srv("c.example", 5269, "host.c.example")
    assert places("c.example") == ["host.c.example:5269"]


def test_a_name_server_in_trouble_is_not_a_missing_domain(dns, places, addresses):
    dns.fail("b.example")
    text = "the name server cannot tell anything of _xmpp-server._tcp.b.example: 127.0.0.1 answers SERVFAIL"
    assert refusal(places, "b.example") == (Cause.NAME_SERVER, text)
    assert refusal(addresses, "b.example")[0] is Cause.NAME_SERVER


def test_half_an_answer_is_enough_if_it_leads_somewhere(dns, places):
    dns.fail("_xmpps-server._tcp.b.example")
    dns.srv("b.example", 5269, "host.b.example")
    assert places("b.example") == ["host.b.example:5269"]


def test_but_not_to_say_that_there_is_no_record(dns, places):
    dns.fail("_xmpp-server._tcp.b.example")
    dns.a("b.example", "127.0.0.1")
    assert refusal(places, "b.example")[0] is Cause.NAME_SERVER


def test_half_an_address_is_no_proof_of_absence(dns, addresses, monkeypatch):
    dns.fail("b.example")
    dns.aaaa("c.example", "::1")
    assert addresses("c.example") == ["::1"]
    assert refusal(addresses, "b.example")[0] is Cause.NAME_SERVER


def test_addresses_of_both_kinds_are_found(dns, addresses):
    dns.a("h.example", "127.0.0.1", "127.0.0.2")
    dns.aaaa("h.example", "::1")
    assert addresses("h.example") == ["::1", "127.0.0.1", "127.0.0.2"]


def test_a_name_that_is_not_there_and_one_without_addresses_are_told_apart(dns, addresses):
    dns.srv("there.example", 1, "x")
    assert refusal(addresses, "there.example") == (Cause.NO_DOMAIN, "there.example has no address")
    assert refusal(addresses, "gone.example") == (Cause.NO_DOMAIN, "gone.example does not exist")


@pytest.mark.parametrize("follows", [True, False])
def test_aliases_are_followed_also_where_the_name_server_does_not(dns, addresses, follows):
    dns.follows_aliases = follows
    dns.cname("www.example", "real.example")
    dns.a("real.example", "127.0.0.1")
    assert addresses("www.example") == ["127.0.0.1"]


def test_an_alias_may_be_for_a_service(dns, places):
    dns.cname("_xmpp-server._tcp.b.example", "_xmpp-server._tcp.c.example")
    dns.srv("c.example", 5269, "host.c.example")
    assert places("b.example") == ["host.c.example:5269"]


@pytest.mark.parametrize("follows", [True, False])
def test_aliases_in_a_circle_end(dns, addresses, follows):
    dns.follows_aliases = follows
    dns.cname("one.example", "two.example")
    dns.cname("two.example", "one.example")
    assert refusal(addresses, "one.example")[0] is Cause.NAME_SERVER


def test_what_has_no_room_in_a_datagram_comes_over_tcp(dns, addresses):
    many = [f"127.0.1.{number}" for number in range(200)]
    dns.a("h.example", *many)
    dns.truncate("h.example")
    assert addresses("h.example") == many[:32]  # which is as many as anybody will try
    assert ("h.example", "A") in dns.asked_over_tcp


def test_an_internationalised_domain_is_asked_for_in_ascii(dns, places, addresses):
    dns.srv("xn--bcher-kva.example", 5269, "host.example")
    dns.a("xn--bcher-kva.example", "127.0.0.1")
    assert places("bücher.example") == ["host.example:5269"]
    assert addresses("bücher.example") == ["127.0.0.1"]


@pytest.mark.parametrize(
    "domain", ["a..example", "x" * 64 + ".example", ".".join(["abcdefgh"] * 30), "ab\u200d.example"]
)
def test_what_cannot_be_in_the_dns_is_not_asked_for(dns, places, domain):
    assert refusal(places, domain) == (Cause.NO_DOMAIN, f"there can be no {domain} in the DNS")
    assert dns.asked == []


@pytest.mark.parametrize(("domain", "place"), [("127.0.0.1", "127.0.0.1:5269"), ("[::1]", "[::1]:5269")])
def test_an_address_needs_no_name_server(dns, places, addresses, domain, place):
    assert places(domain) == [place]
    assert addresses(domain.strip("[]")) == [domain.strip("[]")]
    assert dns.asked == []


def test_a_route_comes_before_the_dns(dns, places):
    assert places("routed.example") == ["tls:127.0.0.9:5270"]
    assert dns.asked == []


def test_the_hosts_of_the_system_come_before_the_dns(dns, addresses, hosts):
    hosts.write_text("127.0.0.3 near.example other\n::3 near.example\n")
    assert addresses("near.example") == ["::3", "127.0.0.3"]
    assert dns.asked == []


def test_an_answer_is_remembered_as_long_as_it_says(dns, addresses, clock):
    dns.a("h.example", "127.0.0.1", ttl=300)
    addresses("h.example")
    asked = len(dns.asked)
    clock.advance(59)
    addresses("h.example")
    assert len(dns.asked) == asked
    dns.forget("h.example")
    dns.a("h.example", "127.0.0.2", ttl=300)
    clock.advance(240)
    assert addresses("h.example") == ["127.0.0.1"]
    clock.advance(2)
    assert addresses("h.example") == ["127.0.0.2"]


def test_that_there_is_nothing_is_forgotten_after_a_minute(dns, addresses, clock):
    refusal(addresses, "h.example")
    dns.a("h.example", "127.0.0.1")
    clock.advance(59)
    assert refusal(addresses, "h.example")[0] is Cause.NO_DOMAIN
    clock.advance(2)
    assert addresses("h.example") == ["127.0.0.1"]


def test_a_fault_of_the_name_server_is_not_remembered(dns, addresses):
    dns.fail("h.example")
    refusal(addresses, "h.example")
    dns.forget("h.example")
    dns.a("h.example", "127.0.0.1")
    assert addresses("h.example") == ["127.0.0.1"]


def resolving(reactor: Any, servers: list[tuple[str, int]]) -> Resolver:
    return Resolver(Names(NameServers(reactor, lambda: servers), Clock()), {}, None)


def test_the_next_name_server_is_asked_where_one_is_away_or_in_trouble(reactor, run_in, dns):
    dns.a("h.example", "127.0.0.1")
    with NameServer() as broken, closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as nobody:
        broken.fail("h.example")
        nobody.bind(("127.0.0.1", 0))
        away = nobody.getsockname()
        nobody.close()
        resolver = resolving(reactor, [away, broken.address, dns.address])
        assert run_in(resolver.targets, Place("h.example", 1, False))[0].address == "127.0.0.1"
        assert broken.asked


def test_a_silent_name_server_is_told(reactor, run_in, dns, monkeypatch):
    monkeypatch.setattr("fermata.net.name_servers._WAITS", (0.05, 0.1))
    dns.ignore("h.example")
    resolver = resolving(reactor, [dns.address])
    with pytest.raises(UnreachableError, match=r"h\.example: 127\.0\.0\.1 does not answer") as caught:
        run_in(resolver.targets, Place("h.example", 1, False))
    assert caught.value.trouble.cause is Cause.NAME_SERVER
    assert dns.asked.count(("h.example", "A")) == 2


def test_an_answer_to_another_question_is_no_answer(reactor, run_in, monkeypatch):
    """Somebody who sees the question, but answers another one, or with another id."""
    monkeypatch.setattr("fermata.net.name_servers._WAITS", (0.1,))
    with NameServer() as liar:
        real = liar._answer

        def lie(octets: bytes, asked: list[tuple[str, str]], whole: bool) -> bytes:
            answer = real(octets, asked, whole)
            return bytes([answer[0] ^ 1]) + answer[1:]

        monkeypatch.setattr(liar, "_answer", lie)
        liar.a("h.example", "127.0.0.1")
        with pytest.raises(UnreachableError):
            run_in(resolving(reactor, [liar.address]).targets, Place("h.example", 1, False))


OCTETS = integers(0, 255) | integers(128, 255)


@settings(max_examples=300)
@given(changes=lists(tuples(integers(0, 300), OCTETS), min_size=1, max_size=4), length=just(300) | integers(0, 300))
def test_whatever_a_name_server_says_is_an_answer_or_none(changes, length):
    """Its answer with some octets changed, and cut somewhere."""
    message = real_dns.Message(7, answer=1)
    message.queries = [real_dns.Query(b"b.example", real_dns.SRV)]
    for name, record in (
        (b"b.example", real_dns.Record_CNAME(b"c.example")),
        (b"c.example", real_dns.Record_SRV(1, 1, 5269, b"host.example")),
        (b"c.example", real_dns.Record_A("127.0.0.1")),
    ):
        message.answers.append(real_dns.RRHeader(name, record.TYPE, real_dns.IN, 60, record))
    octets = bytearray(message.toStr())
    behind_the_question = 12 + len(b"\1b\7example\0") + 4
    for place, octet in changes:
        octets[behind_the_question + place % (len(octets) - behind_the_question)] = octet

    class Liar:
        async def ask(self, name: str, kind: int) -> real_dns.Message:
            answer = _unpacked(bytes(octets[:length]), 7, real_dns.Query(b"b.example", real_dns.SRV))
            if answer is None:
                raise NameServerError("nothing that could be understood")
            return answer

    found: list[object] = []
    resolver = Resolver(Names(Liar(), Clock()), {}, None)
    Deferred.fromCoroutine(resolver.places("b.example")).addBoth(found.append)
    (outcome,) = found
    assert isinstance(outcome, list) or isinstance(outcome.value, UnreachableError)


def test_a_search_can_be_given_up(reactor, run_in, dns):
    dns.ignore("h.example")
    resolver = resolving(reactor, [dns.address])
    ended: list[object] = []
    readers = set(run_in(reactor.getReaders))

    def begin_and_cancel() -> None:
        search = Deferred.fromCoroutine(resolver.places("h.example"))
        search.addErrback(ended.append)
        search.cancel()

    run_in(begin_and_cancel)
    (failure,) = ended
    assert isinstance(failure.value, CancelledError)
    assert set(run_in(reactor.getReaders)) == readers


def test_the_systems_name_servers_are_read_again_when_they_change(tmp_path):
    file = tmp_path / "resolv.conf"
    servers = SystemNameServers(file)
    assert servers() == [("127.0.0.1", 53)]
    file.write_text("search example\nnameserver 192.0.2.1\nnameserver\nnameserver fe80::1%lo\n# nameserver 1.1.1.1\n")
    assert servers() == [("192.0.2.1", 53), ("fe80::1%lo", 53)]
    file.write_text("nameserver 192.0.2.2\n")
    os.utime(file, (1, 1))
    assert servers() == [("192.0.2.2", 53)]
