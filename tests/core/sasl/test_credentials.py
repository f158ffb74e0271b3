"""Passwords: how they are prepared, kept and compared."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.core.sasl.credentials import (
    SALT_BYTES,
    ScramKeys,
    derive_keys,
    fake_keys,
    prepare_password,
    verify_password,
)

SALT = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("pencil", "pencil"),
        ("two words", "two words"),
        ("I\u00adX", "IX"),  # RFC 4013 §3: SOFT HYPHEN is mapped to nothing
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("no\u00a0break", "no break"),
        ("p\u00e9ncil", "p\u00e9ncil"),
        ("pe\u0301ncil", "p\u00e9ncil"),
        ("\U0001f600", "\U0001f600"),  # not assigned in Unicode 3.2
        ("\u0627\u0031", "\u0627\u0031"),  # RFC 4013 prohibits it (direction), OpaqueString does not
    ],
)
def test_passwords_are_prepared_as_their_profiles_say(password: str, prepared: str) -> None:
    assert prepare_password(password) == prepared


@pytest.mark.parametrize("password", ["", "\u0007", "a\x00b", "\u00ad", "\x7f", "\ud800", "\ue000"])
def test_what_no_profile_allows_is_no_password(password: str) -> None:
    with pytest.raises(ValueError):
        prepare_password(password)
    assert not verify_password(fake_keys(b"secret", "juliet", "sha1", 1), password)


def test_keys_are_those_of_rfc_5802() -> None:
    keys = derive_keys("pencil", "sha1", b64decode("QSXCR+Q6sek8bf92"), 4096)
    assert keys == ScramKeys(
        "sha1",
        b64decode("QSXCR+Q6sek8bf92"),
        4096,
        b64decode("6dlGYMOdZcOPutkcNY8U2g7vK9Y="),
        b64decode("D+CSWLOshSulAsxiupA+qs2/fTE="),
    )


@pytest.mark.parametrize("hash", ["sha1", "sha256"])
def test_only_the_right_password_is_right(hash: str) -> None:
    keys = derive_keys("pe\u0301ncil", hash, SALT, 2)
    assert verify_password(keys, "p\u00e9ncil")
    assert not verify_password(keys, "pencil")
    assert not verify_password(keys._replace(iterations=3), "p\u00e9ncil")


def test_an_unknown_account_always_has_the_same_salt_and_it_looks_like_any_other() -> None:
    keys = fake_keys(b"secret", "nobody", "sha256", 10_000)
    assert keys == fake_keys(b"secret", "nobody", "sha256", 10_000)
    assert (keys.hash, keys.iterations, len(keys.salt), len(keys.stored_key)) == ("sha256", 10_000, SALT_BYTES, 32)
    others = [
        fake_keys(b"another secret", "nobody", "sha256", 10_000),
        fake_keys(b"secret", "nobody2", "sha256", 10_000),
        fake_keys(b"secret", "nobody", "sha1", 10_000),
    ]
    assert keys.salt not in [other.salt for other in others]


@given(st.text())
def test_no_text_breaks_the_preparation_of_passwords(password: str) -> None:
    try:
        prepared = prepare_password(password)
    except ValueError:
        return
    assert prepared
    prepared.encode()
