"""Nicknames: which are taken for the same (RFC 8266)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.xmpp.jid import JIDError
from fermata.xmpp.nickname import nickname_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        # RFC 8266 §3
        ("Foo", "foo"),
        ("foo", "foo"),
        ("Foo Bar", "foo bar"),
        ("  Foo     Bar  ", "foo bar"),
        ("\u03a3", "\u03c3"),
        ("\u03c3", "\u03c3"),
        ("\u03c2", "\u03c2"),
        ("\u265a", "\u265a"),
        ("Richard \u2163", "richard iv"),
        # spaces, width, composition
        ("foo\u3000\u00a0bar", "foo bar"),
        ("\uff26oo", "foo"),
        ("e\u0301", "\u00e9"),
        ("<&>", "<&>"),
        # what nobody can see
        ("Ann\u200b", "ann"),
        ("A\u3164nn\U000e0101", "ann"),
        ("Ann \u2764\ufe0f", "ann \u2764"),
        ("A\u200d \u200d B", "a b"),
    ],
)
def test_a_nickname_is_compared_by_what_is_seen(text: str, key: str) -> None:
    assert nickname_key(text) == key


@pytest.mark.parametrize("text", ["", " ", "   ", "\u3000\u00a0", "\u200b", " \u3164 ", "\ufe0f"])
def test_what_shows_nothing_is_no_nickname(text: str) -> None:
    with pytest.raises(JIDError):
        nickname_key(text)


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    try:
        key = nickname_key(text)
    except JIDError:
        return
    assert nickname_key(key) == key
    assert key == key.strip()
