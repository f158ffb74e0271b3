"""One server for several domains, each with accounts, rooms and a name in the certificate of its own."""

from collections.abc import Iterator

import pytest
from cryptography import x509

from kit import ns
from kit.muc import create, enter
from kit.people import PASSWORD, People
from kit.server import Server
from kit.stanzas import find_all, text
from kit.wire import Client

DOMAINS = ["localhost", "second.example"]


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory, registered: Server) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("double"), {"server": {"domains": DOMAINS}})
    server.copy_data(registered)
    server.add_accounts([("guest0@second.example", PASSWORD)])
    server.start()
    yield server
    server.cut_all()
    server.stop()
    assert not server.failures(), server.failures()


@pytest.fixture
def both(double: Server) -> Iterator[dict[str, Client]]:
    """A person of the same name in each domain."""
    people = {domain: People(double, iter(["guest0"]), domain) for domain in DOMAINS}
    yield {domain: each.online() for domain, each in people.items()}
    for each in people.values():
        each.go()


def test_each_domain_has_its_own_people(both: dict[str, Client]) -> None:
    here, there = both.values()
    assert here.bare == "guest0@localhost"
    assert there.bare == "guest0@second.example"
    here.send(f"<message type='chat' to='{there.bare}'><body>hello</body></message>")
    assert text(there.expect("message", from_=here.jid), "body") == "hello"
    here.nothing_before()
    there.set(f"<query xmlns='{ns.PRIVATE}'><a xmlns='urn:example'>mine</a></query>")
    reply = here.get(f"<query xmlns='{ns.PRIVATE}'><a xmlns='urn:example'/></query>")
    assert not text(reply, "private:query/{urn:example}a")


def test_an_account_of_one_domain_does_not_log_in_at_another(double: Server) -> None:
    client = Client(double.link(), "second.example")
    client.open()
    client.auth("PLAIN", f"\0guest1\0{PASSWORD}".encode())
    client.expect_failure("not-authorized")


def test_each_domain_has_its_own_rooms(both: dict[str, Client]) -> None:
    here, there = both.values()
    for client in (here, there):
        items = find_all(client.get(f"<query xmlns='{ns.DISCO_ITEMS}'/>", client.domain), "items:query/items:item")
        assert f"conference.{client.domain}" in {item.get("jid") for item in items}
        create(client, f"tea@conference.{client.domain}", "Guest")
    entry = enter(here, "tea@conference.second.example", "Visitor")
    assert [presence.get("from") for presence in entry.others] == ["tea@conference.second.example/Guest"]


def test_the_certificate_names_every_domain_and_its_rooms(double: Server) -> None:
    for name in DOMAINS:
        link = double.direct_tls(name=name)
        certificate = link.connection.get_peer_certificate()
        assert certificate is not None
        names = certificate.to_cryptography().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert {name, f"conference.{name}"} <= set(names.get_values_for_type(x509.DNSName))
        link.close()


@pytest.mark.parametrize("domain", DOMAINS)
def test_one_logs_in_over_tls_bound_to_the_channel_at(double: Server, domain: str) -> None:
    people = People(double, iter(["guest0"]), domain)
    client = people.opened(tls=True)
    client.scram("SCRAM-SHA-256-PLUS", "guest0", PASSWORD, "tls-server-end-point")
    client.open()
    assert client.bind().startswith(f"guest0@{domain}/")
    people.go()
