"""The handshake of external components, and whom they may send as (XEP-0114 §3)."""

from hashlib import sha1

import pytest

from fermata.core.c2s_stream import End, Write
from fermata.core.component_stream import Accept, ComponentStream, digest, sender_of
from fermata.core.xmlstream import Limits, StreamEvent, XMLStream
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import E, Element
from fermata.xmpp.errors import StreamError

SECRETS = {"irc.example": "s3cret", "bücher.example": "größe"}
ID = "3BF96D32"


def header(to: str = "irc.example", content: str = ns.COMPONENT) -> str:
    return f"<?xml version='1.0'?><stream:stream xmlns='{content}' xmlns:stream='{ns.STREAMS}' to='{to}'>"


def events(xml: str) -> list[StreamEvent]:
    return list(XMLStream(ns.COMPONENT, Limits()).receive(xml.encode()))


@pytest.fixture
def stream() -> ComponentStream:
    return ComponentStream(SECRETS, lambda: ID)


def receive(stream: ComponentStream, xml: str) -> list[object]:
    return [want for event in events(xml) for want in stream.receive(event)]


def refusal(stream: ComponentStream, xml: str) -> str:
    with pytest.raises(StreamError) as refused:
        receive(stream, xml)
    return refused.value.condition


def handshake(secret: str) -> str:
    return f"<handshake>{sha1((ID + secret).encode()).hexdigest()}</handshake>"


def test_who_knows_the_secret_is_accepted(stream):
    answer, accept = receive(stream, header() + handshake("s3cret"))
    assert isinstance(answer, Write)
    assert answer.xml == (
        f"<?xml version='1.0'?><stream:stream xmlns='{ns.COMPONENT}' xmlns:stream='{ns.STREAMS}'"
        f" id='{ID}' from='irc.example'>"
    )
    assert accept == Accept("irc.example", "<handshake/>")


def test_the_example_of_the_specification_is_followed():
    assert digest("3BF96D32", "test") == sha1(b"3BF96D32test").hexdigest()


def test_a_domain_may_be_written_in_capitals_and_a_secret_in_any_script(stream):
    assert receive(stream, header("BÜCHER.example") + handshake("größe"))[-1] == Accept("bücher.example")


@pytest.mark.parametrize("secret", ["", "s3cre", "s3cret ", "größe"])
def test_who_does_not_is_refused(stream, secret):
    assert refusal(stream, header() + handshake(secret)) == "not-authorized"


@pytest.mark.parametrize("text", ["", "s3cret", "é", sha1(f"{ID}s3cret".encode()).hexdigest().upper()])
def test_what_is_no_digest_is_refused(stream, text):
    assert refusal(stream, header() + f"<handshake>{text}</handshake>") == "not-authorized"


@pytest.mark.parametrize("to", ["", "example", "other.example", "x@irc.example", "irc.example/x", "a b"])
def test_a_domain_without_a_component_is_unknown(stream, to):
    assert refusal(stream, header(to)) == "host-unknown"
    assert not stream.header_sent


def test_a_secret_is_good_for_its_own_domain_alone(stream):
    assert refusal(stream, header("bücher.example") + handshake("s3cret")) == "not-authorized"


@pytest.mark.parametrize("stanza", ["<message/>", "<iq/>", "<presence/>", "<x/>", "<handshake xmlns='jabber:client'/>"])
def test_nothing_may_precede_the_handshake(stream, stanza):
    assert refusal(stream, header() + stanza) == "not-authorized"


def test_a_client_is_no_component(stream):
    assert refusal(stream, header(content=ns.CLIENT)) == "invalid-namespace"


@pytest.mark.parametrize("end", ["</stream:stream>", "<stream:error/>"])
def test_who_gives_up_is_let_go(stream, end):
    assert receive(stream, header() + end)[-1] == End()


def message(sender: str | None) -> Element:
    return E("message", {} if sender is None else {"from": sender})


@pytest.mark.parametrize("sender", ["irc.example", "IRC.example", "a@irc.example", "a@irc.example/b", "x@also.example"])
def test_a_component_speaks_for_everybody_at_its_domains(sender):
    stanza = message(sender)
    assert sender_of(stanza, ("irc.example", "also.example")) == sender.lower() == stanza.get("from")


def test_without_a_sender_it_speaks_for_itself():
    stanza = message(None)
    assert sender_of(stanza, ("irc.example", "also.example")) == "irc.example" == stanza.get("from")


@pytest.mark.parametrize(
    "sender", ["", "@irc.example", "example", "a@b.irc.example", "irc.example@example", "localhost", "xirc.example"]
)
def test_a_component_speaks_for_nobody_else(sender):
    with pytest.raises(StreamError, match="invalid-from"):
        sender_of(message(sender), ("irc.example",))
