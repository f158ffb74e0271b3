"""Which mechanisms are offered, and what choosing one gives."""

import pytest

from fermata.core.sasl.mechanism import NeedCredentials, Realm
from fermata.core.sasl.plain import Plain
from fermata.core.sasl.scram import Scram
from fermata.core.sasl.selection import begin, offered
from fermata.xmpp.errors import SASLError

REALM = Realm("capulet.example", b"secret", 64)
BINDINGS = {"tls-exporter": b"exported"}
EVERYTHING = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN")
UNBOUND = ("SCRAM-SHA-256", "SCRAM-SHA-1")


@pytest.mark.parametrize(
    ("tls", "bindings", "plain_in_clear", "names"),
    [
        (True, ["tls-exporter", "tls-server-end-point"], False, EVERYTHING),
        (True, ["tls-server-end-point"], True, EVERYTHING),
        (True, [], False, (*UNBOUND, "PLAIN")),
        (False, [], False, UNBOUND),
        (False, [], True, (*UNBOUND, "PLAIN")),
    ],
)
def test_a_connection_is_offered(tls: bool, bindings: list[str], plain_in_clear: bool, names: tuple[str, ...]) -> None:
    assert offered(tls, bindings, plain_in_clear) == names


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_mechanism_that_is_offered_can_be_chosen(name: str) -> None:
    mechanism = begin(name, EVERYTHING, REALM, "nonce", BINDINGS)
    flag = "p=tls-exporter" if name.endswith("-PLUS") else "n"
    message = "\0juliet\0pencil" if name == "PLAIN" else f"{flag},,n=juliet,r=abc"
    assert isinstance(mechanism, Plain if name == "PLAIN" else Scram)
    assert mechanism.respond(message.encode()) == NeedCredentials("juliet")


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("PLAIN", "encryption-required"),
        ("SCRAM-SHA-1-PLUS", "invalid-mechanism"),
        ("DIGEST-MD5", "invalid-mechanism"),
        ("plain", "invalid-mechanism"),
        ("", "invalid-mechanism"),
    ],
)
def test_nothing_else_can_be_chosen(name: str, condition: str) -> None:
    with pytest.raises(SASLError) as caught:
        begin(name, UNBOUND, REALM, "nonce", {})
    assert caught.value.condition == condition
