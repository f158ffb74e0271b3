"""Whether a stanza keeps to what was proven: every trap of addressing between servers (RFC 6120 §8.1, §4.9.3)."""

import pytest

from fermata.core.s2s.pair import Pair
from fermata.core.s2s.proven import Proven
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StanzaError, StreamError

LOCAL = {"b.example", "chat.b.example"}


@pytest.fixture
def proven() -> Proven:
    proven = Proven(LOCAL.__contains__)
    proven.pairs.add(Pair("b.example", "a.example"))
    return proven


def message(to: str | None, sender: str | None) -> Element:
    stated = {"to": to, "from": sender}
    return Element("message", {name: value for name, value in stated.items() if value is not None})


@pytest.mark.parametrize("to", ["b.example", "ben@b.example", "ben@b.example/x"])
@pytest.mark.parametrize("sender", ["a.example", "ann@a.example", "ann@a.example/y"])
def test_addresses_of_the_pair_pass(proven: Proven, to: str, sender: str) -> None:
    assert proven.check(message(to, sender)) == (to, sender)


def test_addresses_are_prepared_where_they_stand(proven: Proven) -> None:
    stanza = message("Ben@B.Example/x", "ANN@A.example")
    assert proven.check(stanza) == ("ben@b.example/x", "ann@a.example")
    assert (stanza.get("to"), stanza.get("from")) == ("ben@b.example/x", "ann@a.example")


@pytest.mark.parametrize(
    ("to", "sender", "condition"),
    [
        (None, "ann@a.example", "improper-addressing"),
        ("ben@b.example", None, "improper-addressing"),
        ("", "ann@a.example", "improper-addressing"),
        ("ben@b.example", "", "improper-addressing"),
        ("ben@b.example", "ann@", "improper-addressing"),
        ("@b b", "ann@a.example", "improper-addressing"),
        ("ben@b.example", "ann@c.example", "invalid-from"),
        ("ben@b.example", "ben@b.example", "invalid-from"),
        ("ben@b.example", "ann@sub.a.example", "invalid-from"),
        ("ben@b.example", "a.example@c.example", "invalid-from"),
        ("ben@b.example", "c.example/a.example", "invalid-from"),
        ("ben@c.example", "ann@a.example", "host-unknown"),
        ("ann@a.example", "ann@a.example", "host-unknown"),
        ("room@chat.b.example", "ann@a.example", "improper-addressing"),
    ],
)
def test_what_was_not_proven_ends_the_stream(proven: Proven, to: str, sender: str, condition: str) -> None:
    with pytest.raises(StreamError) as refused:
        proven.check(message(to, sender))
    assert refused.value.condition == condition


def test_nothing_passes_before_anything_is_proven() -> None:
    with pytest.raises(StreamError) as refused:
        Proven(LOCAL.__contains__).check(message("ben@b.example", "ann@a.example"))
    assert refused.value.condition == "not-authorized"


def test_pairs_do_not_mix(proven: Proven) -> None:
    """That c.example was proven to the rooms does not let it write to accounts."""
    proven.pairs.add(Pair("chat.b.example", "c.example"))
    assert proven.check(message("room@chat.b.example", "cid@c.example"))
    with pytest.raises(StreamError):
        proven.check(message("ben@b.example", "cid@c.example"))


@pytest.mark.parametrize(
    ("to", "sender"),
    [("ben@b.example/\x7f", "ann@a.example"), ("ben@b.example", "ann@a.example/\x7f"), ("a:b@b.example", "a.example")],
)
def test_a_malformed_part_is_refused_and_costs_others_nothing(proven: Proven, to: str, sender: str) -> None:
    stanza = message(to, sender)
    with pytest.raises(StanzaError) as refused:
        proven.check(stanza)
    assert refused.value.condition == "jid-malformed"
    assert proven.domains(stanza) == ("b.example", "a.example")


@pytest.mark.parametrize(
    ("to", "sender"),
    [
        ("ben@b.example", "a:b@c.example"),
        ("a:b@c.example", "ann@a.example"),
        ("b.example", "a:b@c.example/@a.example"),
        ("b.example", "a:b@c.example@a.example"),
    ],
)
def test_a_malformed_part_does_not_hide_a_domain(proven: Proven, to: str, sender: str) -> None:
    with pytest.raises(StreamError):
        proven.check(message(to, sender))
