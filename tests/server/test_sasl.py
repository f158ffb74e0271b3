"""Authentication (RFC 6120 §6; SCRAM: RFC 5802, 7677; channel binding: RFC 5929, 9266, XEP-0440)."""

import base64

import pytest

from kit import ns
from kit.people import PASSWORD, People
from kit.sasl import attributes, failed, still_works
from kit.scram import Scram
from kit.stanzas import Element, find, show

SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-256"]
BINDINGS = ["tls-exporter", "tls-server-end-point"]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
def test_a_person_logs_in_with(guests: People, mechanism: str, tls: bool) -> None:
    client = guests.opened(tls)
    user = guests.name()
    if mechanism == "PLAIN":
        client.plain(user, PASSWORD)
    else:
        client.scram(mechanism, user, PASSWORD)
    client.open()
    assert client.bind().startswith(f"{user}@localhost/")


@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
def test_the_name_of_an_account_has_no_case(guests: People, mechanism: str) -> None:
    """The user name is the local part of the address, and is prepared like one (RFC 7622 §3.3)."""
    client = guests.opened()
    user = guests.name()
    if mechanism == "PLAIN":
        client.plain(user.upper(), PASSWORD)
    else:
        client.scram(mechanism, user.upper(), PASSWORD)
    client.open()
    assert client.bind().startswith(f"{user}@localhost/")


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_person_logs_in_bound_to_the_channel(guests: People, mechanism: str, binding: str, direct: bool) -> None:
    client = guests.direct_tls() if direct else guests.opened(tls=True)
    client.scram(f"{mechanism}-PLUS", guests.name(), PASSWORD, binding)
    client.open()
    client.bind()


# What the server may not fall for


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_client_that_was_told_of_no_binding_is_refused_where_there_is_one(guests: People, mechanism: str) -> None:
    """The gs2 flag `y` where -PLUS was offered: somebody in between has taken it out (RFC 5802 §6)."""
    client = guests.opened(tls=True)
    user = guests.name()
    exchange = Scram(mechanism, user, PASSWORD, flag="y")
    client.auth(mechanism, exchange.first())
    answer = client.next()
    if answer.tag == f"{{{ns.SASL}}}challenge":
        client.respond(exchange.final(base64.b64decode(answer.text or "")))
        answer = client.next()
    assert answer.tag == f"{{{ns.SASL}}}failure", show(answer)
    still_works(client, user)


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_client_that_saw_no_binding_gets_in_where_there_is_none(guests: People, mechanism: str) -> None:
    client = guests.opened()
    exchange = Scram(mechanism, guests.name(), PASSWORD, flag="y")
    client.auth(mechanism, exchange.first())
    client.respond(exchange.final(client.expect_challenge()))
    client.expect("sasl:success")


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_binding_to_another_channel_is_refused(guests: People, binding: str) -> None:
    client = guests.opened(tls=True)
    user = guests.name()
    exchange = Scram("SCRAM-SHA-256", user, PASSWORD, (binding, b"another channel".ljust(32)))
    client.auth("SCRAM-SHA-256-PLUS", exchange.first())
    client.respond(exchange.final(client.expect_challenge()))
    assert failed(client) in {"not-authorized", "malformed-request"}
    still_works(client, user)


def test_the_binding_of_one_connection_does_not_bind_another(guests: People) -> None:
    first, second = guests.opened(tls=True), guests.opened(tls=True)
    user = guests.name()
    exchange = Scram("SCRAM-SHA-1", user, PASSWORD, ("tls-exporter", first.binding("tls-exporter")))
    second.auth("SCRAM-SHA-1-PLUS", exchange.first())
    second.respond(exchange.final(second.expect_challenge()))
    assert failed(second) in {"not-authorized", "malformed-request"}


@pytest.mark.parametrize(
    ("mechanism", "gs2"),
    [
        ("SCRAM-SHA-1-PLUS", "p=tls-unique"),
        ("SCRAM-SHA-1-PLUS", "p="),
        ("SCRAM-SHA-1-PLUS", "n"),
        ("SCRAM-SHA-1-PLUS", "y"),
        ("SCRAM-SHA-1", "p=tls-exporter"),
    ],
)
def test_a_flag_that_does_not_go_with_the_mechanism_is_refused(guests: People, mechanism: str, gs2: str) -> None:
    client = guests.opened(tls=True)
    user = guests.name()
    client.auth(mechanism, f"{gs2},,n={user},r=abcdefghijkl".encode())
    assert failed(client) in {"not-authorized", "malformed-request", "invalid-mechanism"}
    still_works(client, user)


@pytest.mark.parametrize("mechanism", SCRAM)
def test_another_header_than_in_the_first_message_is_refused(guests: People, mechanism: str) -> None:
    client = guests.opened()
    exchange = Scram(mechanism, guests.name(), PASSWORD)
    client.auth(mechanism, exchange.first())
    client.respond(exchange.final(client.expect_challenge(), header="y,,"))
    assert failed(client) in {"not-authorized", "malformed-request"}


@pytest.mark.parametrize("mechanism", SCRAM)
def test_another_nonce_is_refused(guests: People, mechanism: str) -> None:
    client = guests.opened()
    exchange = Scram(mechanism, guests.name(), PASSWORD)
    client.auth(mechanism, exchange.first())
    client.respond(exchange.final(client.expect_challenge(), nonce=exchange.nonce + "x" * 20))
    assert failed(client) in {"not-authorized", "malformed-request"}


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_replayed_exchange_is_refused(guests: People, mechanism: str) -> None:
    user = guests.name()
    exchange = Scram(mechanism, user, PASSWORD)
    overheard = guests.opened()
    overheard.auth(mechanism, exchange.first())
    proof = exchange.final(overheard.expect_challenge())
    overheard.respond(proof)
    overheard.expect("sasl:success")
    replaying = guests.opened()
    replaying.auth(mechanism, exchange.first())
    replaying.expect_challenge()
    replaying.respond(proof)
    assert failed(replaying) in {"not-authorized", "malformed-request"}


def test_the_server_adds_another_nonce_each_time(guests: People) -> None:
    user = guests.name()
    nonces = set()
    for _ in range(3):
        client = guests.opened()
        client.auth("SCRAM-SHA-1", f"n,,n={user},r=sameagain".encode())
        nonces.add(attributes(client.expect_challenge())["r"])
    assert len(nonces) == 3
    assert all(len(nonce) - len("sameagain") >= 16 for nonce in nonces)


# Wrong passwords, unknown people


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
def test_a_wrong_password_and_an_unknown_account_look_the_same(guests: People, mechanism: str, known: bool) -> None:
    client = guests.opened()
    user = guests.name() if known else "nobody-here"
    if mechanism == "PLAIN":
        client.auth("PLAIN", f"\0{user}\0wrong".encode())
    else:
        exchange = Scram(mechanism, user, "wrong")
        client.auth(mechanism, exchange.first())
        client.respond(exchange.final(client.expect_challenge()))
    assert failed(client) == "not-authorized"


@pytest.mark.parametrize("mechanism", SCRAM)
def test_the_challenge_does_not_tell_whether_the_account_exists(guests: People, mechanism: str) -> None:
    def challenge(user: str) -> dict[str, str]:
        client = guests.opened()
        client.auth(mechanism, f"n,,n={user},r=abcdefghijklmnop".encode())
        return attributes(client.expect_challenge())

    known, unknown, again, other = [challenge(user) for user in (guests.name(), "nobody", "nobody", "somebody")]
    assert known["i"] == unknown["i"]
    assert int(known["i"]) >= 4096
    assert len(known["s"]) == len(unknown["s"])
    assert unknown["s"] == again["s"], "the made-up salt changes, a real one does not"
    assert unknown["s"] != other["s"]


def test_an_empty_password_is_refused(guests: People) -> None:
    client = guests.opened()
    client.auth("PLAIN", f"\0{guests.name()}\0".encode())
    assert failed(client) in {"not-authorized", "malformed-request"}


def test_after_a_failure_one_may_try_again_with_another_mechanism(guests: People) -> None:
    client = guests.opened()
    user = guests.name()
    for mechanism in SCRAM:
        exchange = Scram(mechanism, user, "wrong")
        client.auth(mechanism, exchange.first())
        client.respond(exchange.final(client.expect_challenge()))
        client.expect_failure("not-authorized")
    still_works(client, user)


def test_who_fails_too_often_is_sent_away(guests: People) -> None:
    client = guests.opened()
    user = guests.name()
    attempts = 0
    ended: Element | None = None
    while ended is None and attempts < 7:
        client.auth("PLAIN", f"\0{user}\0wrong".encode())
        attempts += 1
        element = client.next()
        if element.tag == f"{{{ns.SASL}}}failure" and attempts > 2:
            client.auth("PLAIN", f"\0{user}\0wrong".encode())
            attempts += 1
            element = client.next()
        if element.tag == f"{{{ns.STREAMS}}}error":
            ended = element
    assert ended is not None, "seven wrong passwords on one stream"
    assert attempts >= 3
    allowed = ("stream-errors:policy-violation", "stream-errors:not-authorized")
    assert any(find(ended, path) is not None for path in allowed), show(ended)
    client.expect_end()


# Authorization identities


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
@pytest.mark.parametrize("whose", ["own", "another's", "no JID"])
def test_one_may_act_as_oneself_alone(guests: People, mechanism: str, whose: str) -> None:
    client = guests.opened()
    user = guests.name()
    authzid = {"own": f"{user}@localhost", "another's": f"{guests.name()}@localhost", "no JID": "@@"}[whose]
    if mechanism == "PLAIN":
        client.auth("PLAIN", f"{authzid}\0{user}\0{PASSWORD}".encode())
    else:
        exchange = Scram(mechanism, user, PASSWORD, authzid=authzid)
        client.auth(mechanism, exchange.first())
        answer = client.next()
        if answer.tag == f"{{{ns.SASL}}}failure":
            assert whose != "own"
            assert find(answer, "sasl:invalid-authzid") is not None, show(answer)
            return
        client.respond(exchange.final(base64.b64decode(answer.text or "")))
    if whose == "own":
        client.expect("sasl:success")
    else:
        assert failed(client) == "invalid-authzid"
