"""Dialback's key (XEP-0185) and its elements (XEP-0220)."""

import pytest

from fermata.core.s2s import dialback
from fermata.core.s2s.dialback import Answer, Request
from fermata.core.s2s.pair import Verdict
from fermata.core.s2s.trouble import Cause, told_by_peer
from fermata.core.xmlstream import Limits, XMLStream
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StanzaError, StreamError

HEADER = f"<stream:stream xmlns='{ns.SERVER}' xmlns:stream='{ns.STREAMS}' xmlns:db='{ns.DIALBACK}' version='1.0'>"


def parsed(xml: str) -> Element:
    _, element = XMLStream(ns.SERVER, Limits()).receive((HEADER + xml).encode())
    assert isinstance(element, Element)
    return element


def test_the_key_is_that_of_the_specifications_example() -> None:
    key = dialback.key("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F")
    assert key == "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"


@pytest.mark.parametrize("other", [("b", "a", "1"), ("a", "b", "2"), ("a", "c", "1"), ("a b", "", "1")])
def test_a_key_is_good_for_one_stream_between_two_servers_alone(other: tuple[str, str, str]) -> None:
    assert dialback.key("secret", "a", "b", "1") != dialback.key("secret", *other)


def test_our_elements_have_the_prefix_that_others_look_for() -> None:
    shown = dialback.request(dialback.RESULT, "a.example", "b.example", "k")
    assert shown == "<db:result from='a.example' to='b.example'>k</db:result>"
    asked = dialback.request(dialback.VERIFY, "b.example", "a.example", "k", "id'1")
    assert asked == "<db:verify from='b.example' to='a.example' id='id&apos;1'>k</db:verify>"


def test_what_is_written_is_read_again() -> None:
    request = dialback.read(parsed(dialback.request(dialback.VERIFY, "b.example", "a.example", "key", "1")))
    assert request == Request(dialback.VERIFY, "b.example", "a.example", "1", "key")
    answer = dialback.read(parsed(dialback.answer(request, Verdict.INVALID)))
    assert answer == Answer(dialback.VERIFY, "a.example", "b.example", "1", Verdict.INVALID, None)


def test_white_space_around_a_key_does_not_count() -> None:
    request = dialback.read(parsed("<db:result from='a.example' to='b.example'>\n  key </db:result>"))
    assert isinstance(request, Request)
    assert request.key == "key"


def test_an_error_says_what_is_wrong_and_whose_request_it_answers() -> None:
    request = Request(dialback.RESULT, "a.example", "b.example", "", "key")
    xml = dialback.answer(request, Verdict.ERROR, StanzaError("item-not-found"))
    assert xml == (
        "<db:result from='b.example' to='a.example' type='error'><error type='cancel'>"
        f"<item-not-found xmlns='{ns.STANZA_ERRORS}'/></error></db:result>"
    )
    answer = dialback.read(parsed(xml))
    assert isinstance(answer, Answer)
    assert answer.error is not None
    assert told_by_peer(answer.error, "it answers").cause is Cause.HOST_UNKNOWN


@pytest.mark.parametrize("kind", ["error", "", "VALID", "maybe"])
def test_nothing_but_valid_is_valid(kind: str) -> None:
    answer = dialback.read(parsed(f"<db:result from='b.example' to='a.example' type='{kind}'/>"))
    assert isinstance(answer, Answer)
    assert answer.verdict is Verdict.ERROR


@pytest.mark.parametrize("condition", ["remote-connection-failed", "remote-server-timeout"])
def test_conditions_that_are_none_of_stanzas_are_understood(condition: str) -> None:
    """XEP-0220 §2.5 names one that RFC 6120 has for streams alone."""
    error = f"<error type='cancel' xmlns='{ns.SERVER}'><{condition} xmlns='{ns.STANZA_ERRORS}'/></error>"
    answer = dialback.read(parsed(f"<db:result from='b.example' to='a.example' type='error'>{error}</db:result>"))
    assert isinstance(answer, Answer)
    assert answer.error is not None
    trouble = told_by_peer(answer.error, "it answers")
    assert trouble.cause is Cause.AUTHENTICATION
    assert condition in trouble.text


@pytest.mark.parametrize(
    "addresses",
    [
        "from='a.example'",
        "to='b.example'",
        "from='' to='b.example'",
        "from='ann@a.example' to='b.example'",
        "from='a.example' to='b.example/x'",
        "from='a b' to='b.example'",
    ],
)
def test_dialback_is_between_domains(addresses: str) -> None:
    with pytest.raises(StreamError) as refused:
        dialback.read(parsed(f"<db:result {addresses}>key</db:result>"))
    assert refused.value.condition == "improper-addressing"


def test_domains_are_prepared() -> None:
    request = dialback.read(parsed("<db:result from='A.Example.' to='BÜCHER.example'>key</db:result>"))
    assert (request.sender, request.to) == ("a.example", "bücher.example")
