"""SASL messages out of order or out of form (RFC 6120 §6.4)."""

import pytest

from kit import ns
from kit.people import PASSWORD, People
from kit.sasl import attributes, failed, still_works
from kit.scram import Scram
from kit.server import Server
from kit.stanzas import find, show
from kit.wire import Client, StreamClosed

SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-256"]
BINDINGS = ["tls-exporter", "tls-server-end-point"]


# Messages out of order or out of form


def test_the_initial_response_may_come_later(guests: People) -> None:
    client = guests.opened()
    client.auth("PLAIN", None)
    assert client.expect_challenge() == b""
    client.respond(f"\0{guests.name()}\0{PASSWORD}".encode())
    client.expect("sasl:success")


@pytest.mark.parametrize("mechanism", SCRAM)
def test_the_initial_response_of_scram_may_come_later(guests: People, mechanism: str) -> None:
    client = guests.opened()
    exchange = Scram(mechanism, guests.name(), PASSWORD)
    client.auth(mechanism, None)
    assert client.expect_challenge() == b""
    client.respond(exchange.first())
    client.respond(exchange.final(client.expect_challenge()))
    client.expect("sasl:success")


@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
def test_an_exchange_can_be_aborted(guests: People, mechanism: str) -> None:
    client = guests.opened()
    user = guests.name()
    client.auth(mechanism, None)
    client.expect_challenge()
    client.send(f"<abort xmlns='{ns.SASL}'/>")
    client.expect_failure("aborted")
    still_works(client, user)


@pytest.mark.parametrize("mechanism", ["", "EXAMPLE", "ANONYMOUS", "EXTERNAL", "plain", "SCRAM-SHA-1-PLUS"])
def test_a_mechanism_that_was_not_offered_is_invalid(guests: People, mechanism: str) -> None:
    client = guests.opened()
    client.auth(mechanism, b"x")
    assert failed(client) == "invalid-mechanism"
    still_works(client, guests.name())


def test_a_missing_mechanism_is_refused(guests: People) -> None:
    client = guests.opened()
    client.send(f"<auth xmlns='{ns.SASL}'>AAAA</auth>")
    assert failed(client) in {"invalid-mechanism", "malformed-request"}
    still_works(client, guests.name())


@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
@pytest.mark.parametrize("text", ["%%%", "AAA", "AA=A", "ä", "AAAA=AAA"])
def test_what_is_not_base64_is_incorrect(guests: People, mechanism: str, text: str) -> None:
    client = guests.opened()
    client.send(f"<auth xmlns='{ns.SASL}' mechanism='{mechanism}'>{text}</auth>")
    assert failed(client) in {"incorrect-encoding", "malformed-request"}
    still_works(client, guests.name())


@pytest.mark.parametrize(
    "octets", [b"", b"user", b"\0user", b"\0\0secret", b"\0\xff\xfe\0secret", b"a\0b\0c\0d", b"\0" * 5000]
)
def test_a_malformed_plain_message_is_refused(guests: People, octets: bytes) -> None:
    client = guests.opened()
    client.auth("PLAIN", octets)
    assert failed(client) in {"malformed-request", "not-authorized"}
    still_works(client, guests.name())


@pytest.mark.parametrize("mechanism", SCRAM)
@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        b"n,,",
        b"n,,n=guest0",
        b"n,,r=abc",
        b"n,,r=abc,n=guest0",
        b"x,,n=guest0,r=abc",
        b"n,b=,n=guest0,r=abc",
        b"n,,n=,r=abc",
        b"n,,n=guest0,r=",
        b"n,,n=guest0,r=a b\x07",
        b"n,,n=g=XXt,r=abc",
        b"n,,n=guest=,r=abc",
        b"n,,m=required,n=guest0,r=abc",
        b"n,,n=guest0,r=\xff\xfe",
    ],
)
def test_a_malformed_first_message_of_scram_is_refused(guests: People, mechanism: str, octets: bytes) -> None:
    client = guests.opened()
    client.auth(mechanism, octets)
    assert failed(client) in {"malformed-request", "not-authorized"}
    still_works(client, guests.name())


@pytest.mark.parametrize("mechanism", SCRAM)
@pytest.mark.parametrize("octets", [b"", b"c=biws", b"c=biws,r=%s", b"c=biws,r=%s,p=", b"c=biws,r=%s,p=%%%", b"\xff"])
def test_a_malformed_last_message_of_scram_is_refused(guests: People, mechanism: str, octets: bytes) -> None:
    client = guests.opened()
    user = guests.name()
    client.auth(mechanism, f"n,,n={user},r=abcdefgh".encode())
    nonce = attributes(client.expect_challenge())["r"]
    client.respond(octets.replace(b"%s", nonce.encode()))
    assert failed(client) in {"malformed-request", "not-authorized", "incorrect-encoding"}
    still_works(client, user)


@pytest.mark.parametrize("element", ["response", "abort", "challenge", "success", "failure"])
def test_elements_without_an_exchange_authenticate_nobody(guests: People, element: str) -> None:
    client = guests.opened()
    client.send(f"<{element} xmlns='{ns.SASL}'/>")
    answer = client.next()
    assert answer.tag in {f"{{{ns.SASL}}}failure", f"{{{ns.STREAMS}}}error"}, show(answer)


def test_a_second_auth_in_the_middle_of_an_exchange_authenticates_nobody(guests: People) -> None:
    client = guests.opened()
    user = guests.name()
    exchange = Scram("SCRAM-SHA-1", user, PASSWORD)
    client.auth("SCRAM-SHA-1", exchange.first())
    client.expect_challenge()
    client.auth("SCRAM-SHA-1", b"n,,n=nobody,r=x")
    answer = client.next()
    assert answer.tag != f"{{{ns.SASL}}}success", show(answer)


def test_authentication_is_not_repeated(guests: People) -> None:
    client = guests.authenticated()
    client.auth("PLAIN", f"\0guest0\0{PASSWORD}".encode())
    answer = client.next()
    assert answer.tag in {f"{{{ns.SASL}}}failure", f"{{{ns.STREAMS}}}error"}, show(answer)


def test_a_final_message_after_failure_is_worth_nothing(guests: People) -> None:
    client = guests.opened()
    exchange = Scram("SCRAM-SHA-1", guests.name(), PASSWORD)
    client.auth("SCRAM-SHA-1", exchange.first())
    proof = exchange.final(client.expect_challenge())
    client.send(f"<abort xmlns='{ns.SASL}'/>")
    client.expect_failure("aborted")
    client.respond(proof)
    try:
        answer = client.next()
    except StreamClosed:
        return
    assert answer.tag in {f"{{{ns.SASL}}}failure", f"{{{ns.STREAMS}}}error"}, show(answer)


def test_who_is_not_authenticated_gets_no_features_of_a_session(server: Server) -> None:
    client = Client(server.link())
    client.open()
    assert find(client.features, "bind:bind") is None
    assert find(client.features, "sm:sm") is None
    client.close()
