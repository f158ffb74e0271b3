"""`fermata s2s …`: real sockets, real DNS and real TLS to servers that are right, and to many that are not."""

import gc
import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet import tcp

from fermata.app import s2s_examination
from fermata.app.config import load
from fermata.app.s2s_commands import s2s_commands
from fermata.app.s2s_examination import examination_alone
from fermata.host.federation import Pair
from fermata.net import s2s_trial
from fermata.net.s2s_listeners import ServerListeners
from fermata.net.turn_writes import TurnWrites
from fermata.services.server_link import LinkRow
from kit.ca import DAY, Authority, Issued, self_signed
from kit.dns import NameServer
from kit.server import free_port
from kit.servers_on_net import Server
from kit.stalled import stalled
from kit.talker import Talker

ROOT = Authority("Root")
HEADER = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
OURS = ROOT.issue("a.example", "conference.a.example")


class Elsewhere:
    """Other servers on loopback addresses, and the name server that knows them."""

    def __init__(self, dns: NameServer, directory: Path, reactor: Any, run_in: Callable[..., Any]) -> None:
        self.dns, self._directory, self._reactor, self._run_in = dns, directory, reactor, run_in
        self.ca_file = ROOT.write(directory / "ca.pem")
        ids = count()
        self._net: Any = SimpleNamespace(clock=reactor, turn=TurnWrites(reactor), new_id=lambda: f"id-{next(ids)}")
        self._listeners: list[ServerListeners] = []
        self._talkers: list[Talker] = []

    def serve(
        self, domain: str, issued: Issued, *, found_as: str = "", direct_tls: bool = False, priority: int = 0
    ) -> Server:
        """A server for a domain, which can be found as that or as another one."""
        server = Server(self._net, self._directory / domain, issued, self.ca_file, domain)
        server.verifies, server.offers_bidi = False, True
        listeners = ServerListeners(server.shared, 0)
        ports = [], ["tcp:0:interface=127.0.0.1"]
        self._run_in(listeners.listen, self._reactor, *(ports if direct_tls else reversed(ports)))
        service = "xmpps-server" if direct_tls else "xmpp-server"
        self.dns.srv(found_as or domain, listeners._ports[0].getHost().port, f"host.{domain}", service, priority)
        self.dns.a(f"host.{domain}", "127.0.0.1")
        self._listeners.append(listeners)
        return server

    def script(self, domain: str, answer: str) -> None:
        """Something that says this, whatever it hears, and keeps the connection."""
        self._talkers.append(Talker(answer))
        self.dns.server(domain, self._talkers[-1].port)

    def close(self) -> None:
        for listeners in self._listeners:
            self._run_in(listeners.stop_listening)
            self._run_in(listeners.end_all, None)
        for talker in self._talkers:
            talker.close()


@pytest.fixture
def elsewhere(here: Path, reactor: Any, run_in: Callable[..., Any]) -> Iterator[Elsewhere]:
    with NameServer() as dns:
        elsewhere = Elsewhere(dns, here, reactor, run_in)
        configure(elsewhere)
        yield elsewhere
        elsewhere.close()


def configure(elsewhere: Elsewhere, s2s: str = "", ours: Issued = OURS) -> None:
    ours.write(Path("var/tls/cert.pem"), Path("var/tls/key.pem"))
    Path("etc/fermata.toml").write_text(
        f"""
        [server]
        domains = ["a.example"]
        [tls]
        ca_file = "ca.pem"
        [s2s]
        resolver = "{elsewhere.dns.resolver}"
        {s2s}
        """
    )


@pytest.fixture
def examine(run: Callable[..., Any]) -> Callable[..., tuple[bool, list[dict[str, str]]]]:
    """Runs the test of b.example; whether it is reached, and all steps."""

    def test(*words: str) -> tuple[bool, list[dict[str, str]]]:
        code, out, err = run("--json", "s2s", "test", "b.example", *words)
        assert not err
        found = json.loads(out)
        assert code == (0 if found["is_reached"] else 1)
        return found["is_reached"], found["steps"]

    return test


def wrong(steps: list[dict[str, str]]) -> list[dict[str, str]]:
    return [step for step in steps if step["outcome"] == "wrong"]


def stages(steps: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(step["stage"], step["outcome"]) for step in steps]


def test_a_server_that_is_right_is_right_in_every_step(elsewhere, examine):
    elsewhere.serve("b.example", ROOT.issue("b.example"))
    is_reached, steps = examine()
    assert is_reached
    assert stages(steps) == [
        ("dns", "ok"),
        ("dns", "ok"),
        ("tcp", "ok"),
        ("stream", "ok"),
        ("tls", "ok"),
        ("certificate", "ok"),
        ("certificate", "ok"),
        ("stream", "ok"),
        ("stream", "ok"),
        ("authentication", "ok"),
    ]
    texts = [step["text"] for step in steps]
    assert texts[0].startswith("SRV _xmpp-server: priority 0, weight 0, host.b.example port ")
    assert texts[1].endswith(" is at 127.0.0.1")
    assert texts[4].startswith("TLSv1.3 with ")
    assert texts[5].startswith("it shows one for b.example, valid from ")
    assert texts[6] == "it proves b.example"
    assert texts[7] == (
        "the other server offers authentication by certificate, dialback, both directions on one connection,"
        " acknowledgements"
    )
    assert texts[9] == "the other server believes that we are a.example, by our certificate"


def test_direct_tls_is_tried_as_well(elsewhere, examine):
    elsewhere.serve("b.example", ROOT.issue("b.example"), direct_tls=True)
    is_reached, steps = examine()
    assert is_reached
    assert [step["stage"] for step in steps][:4] == ["dns", "dns", "tcp", "tls"]


def test_nothing_is_left_of_a_test_on_the_other_server(elsewhere, examine):
    there = elsewhere.serve("b.example", ROOT.issue("b.example"))
    assert examine()[0]
    (trunk,) = there.trunks
    assert (trunk.received, trunk.sent, trunk.taken) == ([Pair("b.example", "a.example")], [], [])


def no_record(elsewhere: Elsewhere) -> None:
    """The domain is nowhere."""


def dns_in_trouble(elsewhere: Elsewhere) -> None:
    elsewhere.dns.fail("b.example")


def not_offered(elsewhere: Elsewhere) -> None:
    elsewhere.dns.srv("b.example", 0, ".")


def dead_port(elsewhere: Elsewhere) -> None:
    elsewhere.dns.server("b.example", free_port())


def host_without_address(elsewhere: Elsewhere) -> None:
    elsewhere.dns.srv("b.example", 5269, "gone.b.example")


def silent(elsewhere: Elsewhere) -> None:
    elsewhere.script("b.example", "")


def no_xmpp(elsewhere: Elsewhere) -> None:
    elsewhere.script("b.example", "220 mail.b.example ESMTP\r\n")


def no_tls(elsewhere: Elsewhere) -> None:
    elsewhere.script("b.example", f"{HEADER} id='1' from='b.example' version='1.0'><stream:features/>")


def wrong_name(elsewhere: Elsewhere) -> None:
    configure(elsewhere, "require_valid_certificate = true")
    elsewhere.serve("b.example", ROOT.issue("c.example"))


def expired(elsewhere: Elsewhere) -> None:
    configure(elsewhere, 'domains = { "b.example" = "secure" }')
    elsewhere.serve("b.example", ROOT.issue("b.example", begin=-9 * DAY, end=-DAY))


def unknown_issuer(elsewhere: Elsewhere) -> None:
    configure(elsewhere, "require_valid_certificate = true")
    elsewhere.serve("b.example", Authority("Stranger").issue("b.example"))


def unknown_host(elsewhere: Elsewhere) -> None:
    elsewhere.serve("c.example", ROOT.issue("b.example"), found_as="b.example")


def our_certificate(elsewhere: Elsewhere) -> None:
    configure(elsewhere, ours=self_signed("a.example"))
    elsewhere.serve("b.example", ROOT.issue("b.example")).requires = {"a.example"}


def dialback(elsewhere: Elsewhere) -> None:
    configure(elsewhere, ours=self_signed("a.example"))
    elsewhere.serve("b.example", ROOT.issue("b.example"))


def blocked(elsewhere: Elsewhere) -> None:
    configure(elsewhere, 'domains = { "b.example" = "block" }')


MISCONFIGURED = [
    (no_record, "dns", "b.example does not exist", "is b.example spelled right?"),
    (dns_in_trouble, "dns", "answers SERVFAIL", "`resolver` in [s2s]"),
    (not_offered, "dns", "b.example says that no XMPP is spoken there", "is b.example spelled right?"),
    (host_without_address, "dns", "gone.b.example does not exist", "an address for the host that it names"),
    (dead_port, "tcp", "nobody listens there", "the SRV record names the wrong host or port"),
    (silent, "stream", "the other server is connected, and says nothing", "hangs, or is no XMPP server"),
    (no_xmpp, "stream", "a stream starts with its header", "what answers there is no XMPP server"),
    (no_tls, "tls", "the other server does not offer TLS", "has to give the server a certificate"),
    (wrong_name, "certificate", "its certificate is for c.example, not for b.example", "`require_valid_certificate`"),
    (expired, "certificate", "its certificate expired on ", "the operator of b.example has to put that right"),
    (unknown_issuer, "certificate", "is from CN=Stranger, which is not trusted here", "`ca_file` in [tls]"),
    (unknown_host, "stream", "host-unknown", "the server there does not know b.example"),
    (our_certificate, "authentication", "", "ours is self-signed: get one that names a.example"),
    (dialback, "authentication", "the other server answers our key with", "start it and test again"),
    (blocked, "policy", "[s2s.domains] blocks b.example", 'take "b.example" out of [s2s.domains]'),
]


@pytest.mark.parametrize(
    ("prepare", "stage", "text", "hint"), MISCONFIGURED, ids=[row[0].__name__ for row in MISCONFIGURED]
)
def test_what_is_wrong_is_told_with_what_to_do_about_it(elsewhere, examine, monkeypatch, prepare, stage, text, hint):
    monkeypatch.setattr(s2s_examination, "_NEGOTIATION_SECONDS", 0.3 if prepare is silent else 15)
    prepare(elsewhere)
    is_reached, steps = examine()
    assert not is_reached
    told = wrong(steps)[0]
    assert told["stage"] == stage, steps
    assert text in told["text"], steps
    assert hint in told["hint"], steps


def test_a_firewall_is_told_as_such(elsewhere, examine, monkeypatch):
    monkeypatch.setattr(s2s_trial, "TCP_SECONDS", 0.2)
    with stalled() as port:
        elsewhere.dns.server("b.example", port)
        is_reached, steps = examine()
    assert not is_reached
    (told,) = wrong(steps)
    assert told["stage"] == "tcp"
    assert told["text"].startswith(f"127.0.0.1:{port}: nothing answers there in ")
    assert told["hint"].startswith("a firewall swallows it")


def test_people_read_it_in_a_table(elsewhere, run):
    dead_port(elsewhere)
    code, out, _ = run("s2s", "test", "b.example")
    assert code == 1
    last = out.splitlines()[-1].split("\t")
    assert last[:2] == ["tcp", "wrong"]
    assert last[2].endswith("nobody listens there")
    assert last[3].startswith("either no server runs there")


def test_a_second_target_is_tried_after_the_first(elsewhere, examine):
    elsewhere.dns.srv("b.example", free_port(), "dead.example", priority=0)
    elsewhere.dns.a("dead.example", "127.0.0.1")
    elsewhere.serve("b.example", ROOT.issue("b.example"), priority=1)
    is_reached, steps = examine()
    assert is_reached
    assert [step["stage"] for step in wrong(steps)] == ["tcp"]


def test_a_route_needs_no_dns(elsewhere, examine):
    configure(elsewhere, f'routes = {{ "b.example" = "127.0.0.1:{free_port()}" }}')
    is_reached, steps = examine()
    assert not is_reached
    assert steps[0]["text"].startswith("[s2s.routes] leads to 127.0.0.1:")
    assert elsewhere.dns.asked == []


def test_without_srv_records_the_address_counts(elsewhere, examine):
    elsewhere.dns.a("b.example", "127.0.0.99")
    is_reached, steps = examine()
    assert not is_reached
    assert steps[0] == {
        "stage": "dns",
        "outcome": "note",
        "text": "b.example has no SRV record, so that its own address and port 5269 count",
        "hint": "",
    }
    assert wrong(steps)[0]["text"] == "127.0.0.99:5269: nobody listens there"


def test_a_certificate_that_is_doubtful_is_noted_where_the_dns_may_vouch_for_it(elsewhere, examine):
    elsewhere.serve("b.example", self_signed("b.example"))
    is_reached, steps = examine()
    assert is_reached
    assert {
        "stage": "certificate",
        "outcome": "note",
        "text": "it does not prove b.example: its certificate is self-signed",
        "hint": "the DNS has to vouch for it, as [s2s] allows",
    } in steps


def test_it_can_be_asked_as_another_of_our_domains(elsewhere, examine, run):
    elsewhere.serve("b.example", ROOT.issue("b.example"))
    is_reached, steps = examine("--from", "conference.a.example")
    assert is_reached
    assert "that we are conference.a.example" in steps[-1]["text"]
    assert run("s2s", "test", "b.example", "--from", "x.example")[2] == (
        "fermata: x.example is no domain of this server\n"
    )


def test_our_own_domain_is_for_others_to_test(elsewhere, run):
    code, out, _ = run("s2s", "test", "conference.a.example")
    assert code == 1
    assert out.startswith("policy\twrong\tconference.a.example is a domain of this server itself\t")


def test_a_test_has_an_end(elsewhere, examine, monkeypatch):
    monkeypatch.setattr(s2s_examination, "_SECONDS", 0.3)
    silent(elsewhere)
    is_reached, steps = examine()
    assert not is_reached
    assert steps[-1]["text"] == "there was no time for the rest: a test ends after 0.3 s"
    assert not [each for each in gc.get_objects() if type(each) is tcp.Client and each.connected], "left open"


@pytest.fixture
def running(elsewhere, serve, reactor, run_in):
    """A server that runs, as far as the command line can see; its ways to other servers."""
    links = Links()

    def serve_now() -> Links:
        examination = run_in(lambda: examination_alone(load(Path("etc/fermata.toml")), reactor))
        examination._is_running = True
        serve(Path("var"), s2s_commands(links, examination))
        return links

    return serve_now


class Links:
    """See fermata.services.federation.Federation."""

    def __init__(self) -> None:
        self.links = self
        since = time.time() - 7_300
        up = ("127.0.0.1:5269", "certificate", True, True, 0, 0, 0, 5, 0, 0, "")
        broken = ("", "", False, False, 7, 900, 0, 5, 0, 3, "nobody listens there")
        self.found = [
            LinkRow("a.example", "b.example", "up", since, "out", *up),
            LinkRow("a.example", "c.example", "retrying", since, "", *broken),
        ]

    def rows(self) -> list[LinkRow]:
        return self.found

    def end(self, domain: str) -> int:
        return {"b.example": 1, "d.example": 2}.get(domain, 0)


def test_a_running_server_does_the_test_itself(elsewhere, running, examine):
    dialback(elsewhere)
    running()
    elsewhere.dns.server("a.example", 4711)
    is_reached, steps = examine()
    assert not is_reached
    told, found = steps[-2:]
    assert told["stage"] == "authentication"
    assert told["hint"].startswith("b.example must be able to find this server as a.example in the DNS")
    assert (found["stage"], found["text"]) == ("dns", "others find a.example at 127.0.0.1:4711")


def test_that_nobody_can_find_us_is_told(elsewhere, running, examine):
    dialback(elsewhere)
    running()
    told = wrong(examine()[1])[-1]
    assert told["text"] == "others cannot find a.example, as which you talk to them: a.example does not exist"
    assert told["hint"] == "make an SRV record _xmpp-server._tcp.a.example that leads here"


def test_all_ways_are_listed(running, run):
    running()
    assert run("s2s", "list")[1] == (
        "a.example\tb.example\tup\t2 h\tout\tcertificate\t0\t\n"
        "a.example\tc.example\tretrying\t2 h\t\t\t7\tnobody listens there\n"
    )
    (row,) = json.loads(run("--json", "s2s", "list", "C.example")[1])
    assert (row["remote"], row["queued"], row["trouble"]) == ("c.example", 7, "nobody listens there")


@pytest.mark.parametrize(
    ("domain", "code", "text"),
    [
        ("b.example", 0, "1 connection closed\n"),
        ("d.example", 0, "2 connections closed\n"),
        ("e.example", 1, "there is no connection with e.example\n"),
    ],
)
def test_connections_with_a_server_can_be_closed(running, run, domain, code, text):
    running()
    assert run("s2s", "close", domain)[:2] == (code, text)


@pytest.mark.parametrize("words", [("list",), ("close", "b.example")])
def test_what_needs_a_running_server_says_so(elsewhere, run, words):
    code, out, err = run("s2s", *words)
    assert (code, out) == (3, "")
    assert err.startswith("fermata: no server is running")


def test_what_is_no_domain_is_not_understood(elsewhere, run, capsys):
    with pytest.raises(SystemExit) as exit:
        run("s2s", "test", "ben@b.example")
    assert exit.value.code == 2
    assert "'ben@b.example' is no domain" in capsys.readouterr().err
