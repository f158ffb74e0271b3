"""PLAIN: what it takes, and what it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.core.sasl.credentials import derive_keys
from fermata.core.sasl.mechanism import Challenge, NeedCredentials, Realm, Success, Verify
from fermata.core.sasl.plain import Plain
from fermata.xmpp.errors import SASLError

REALM = Realm("capulet.example", b"secret", 2)
KEYS = derive_keys("p\u00e9ncil", "sha1", b"0123456789abcdef", 2)


def attempt(message: bytes) -> tuple[Plain, object]:
    plain = Plain(REALM)
    return plain, plain.respond(message)


def outcome(message: bytes, *keys: object) -> object:
    plain, step = attempt(message)
    assert isinstance(step, NeedCredentials)
    step = plain.credentials(keys)  # type: ignore[arg-type]
    assert isinstance(step, Verify)
    return plain.verified(step.check())


@pytest.mark.parametrize(
    "message",
    [
        "\0juliet\0p\u00e9ncil",
        "\0Juliet\0pe\u0301ncil",
        "juliet@capulet.example\0juliet\0p\u00e9ncil",
        "Juliet@CAPULET.example\0juliet\0p\u00e9ncil",
    ],
)
def test_the_right_password_succeeds(message: str) -> None:
    assert outcome(message.encode(), KEYS) == Success("juliet")


def test_keys_of_any_hash_will_do() -> None:
    keys = derive_keys("pencil", "sha256", b"0123456789abcdef", 2)
    assert outcome(b"\0juliet\0pencil", KEYS, keys) == Success("juliet")
    assert outcome("\0juliet\0p\u00e9ncil".encode(), KEYS) == Success("juliet")


@pytest.mark.parametrize("keys", [(KEYS,), ()], ids=["wrong password", "unknown account"])
def test_a_wrong_password_and_an_unknown_account_look_alike(keys: tuple[object, ...]) -> None:
    with pytest.raises(SASLError) as caught:
        outcome(b"\0juliet\0pencil", *keys)
    assert (caught.value.condition, caught.value.text) == ("not-authorized", "")


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (b"", "malformed-request"),
        (b"juliet\0pencil", "malformed-request"),
        (b"\0juliet\0pencil\0", "malformed-request"),
        (b"\0\0pencil", "malformed-request"),
        (b"\0juliet\0", "malformed-request"),
        (b"\0juliet\0\xff", "malformed-request"),
        (b"romeo@montague.example\0juliet\0pencil", "invalid-authzid"),
        (b"juliet\0juliet\0pencil", "invalid-authzid"),
        (b"juliet@capulet.example/balcony\0juliet\0pencil", "invalid-authzid"),
        (b"@\0juliet\0pencil", "invalid-authzid"),
        (b"\0juliet@capulet.example\0pencil", "not-authorized"),
        (b"\0juliet/balcony\0pencil", "not-authorized"),
        (b"\0 \0pencil", "not-authorized"),
    ],
)
def test_what_is_no_proper_request_fails_before_anything_is_looked_up(message: bytes, condition: str) -> None:
    with pytest.raises(SASLError) as caught:
        attempt(message)
    assert caught.value.condition == condition


def test_a_client_without_an_initial_response_is_asked_for_it() -> None:
    plain = Plain(REALM)
    assert plain.respond(None) == Challenge(b"")
    assert plain.respond(b"\0juliet\0pencil") == NeedCredentials("juliet")


def test_there_is_one_attempt() -> None:
    plain, _ = attempt(b"\0juliet\0wrong")
    with pytest.raises(SASLError):
        plain.respond(b"\0juliet\0pencil")


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: f"\0{text}\0pencil".encode()))
def test_arbitrary_bytes_raise_nothing_but_sasl_errors(message: bytes) -> None:
    try:
        _, step = attempt(message)
    except SASLError:
        return
    assert isinstance(step, NeedCredentials)
