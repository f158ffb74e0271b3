"""The stream: what a peer sends, however it is cut, becomes the same events; what it may not send ends the stream."""

import tracemalloc

import pytest

from fermata.core.xmlstream import Limits, RefusedStanza, StreamEnd, StreamEvent, StreamHeader, XMLStream
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, serialise
from fermata.xmpp.errors import StreamError
from kit.xml import plain, read

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" to='capulet.example' from='juliet@capulet.example' version='1.0' xml:lang='en'>"
)
LANG = "{%s}lang" % ns.XML
MESSAGE = b"<message to='romeo@montague.example'><body>Wherefore art thou?</body></message>"


def stream(
    limits: Limits | None = None, *, header: bytes = HEADER, authenticated: bool = True, content: str = ns.CLIENT
) -> XMLStream:
    """A stream whose header has come."""
    opened = XMLStream(content, limits or Limits())
    if authenticated:
        opened.authenticated()
    assert [type(event) for event in opened.receive(header)] == [StreamHeader]
    return opened


def taken(opened: XMLStream, *reads: bytes) -> tuple[list[StreamEvent], str]:
    """The events up to a stream error, and its condition; no condition if there was none."""
    events: list[StreamEvent] = []
    try:
        for data in reads:
            events.extend(opened.receive(data))
    except StreamError as error:
        return events, error.condition
    return events, ""


def tidy(events: list[StreamEvent]) -> list[object]:
    """Events so that they can be compared."""
    return [plain(event) if isinstance(event, Element) else event for event in events]


def one(opened: XMLStream, data: bytes) -> Element:
    (event,) = opened.receive(data)
    assert isinstance(event, Element)
    return event


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


# -- headers


def test_a_header_says_who_talks_to_whom() -> None:
    opened = XMLStream(ns.SERVER, Limits())
    (header,) = opened.receive(
        b"<?xml version='1.0' encoding='utf-8'?>\n"
        b"<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback'"
        b' xmlns:stream="http://etherx.jabber.org/streams" to="a&amp;b" from=\'b.example\' id="7>6" xml:lang="de-CH"'
        b" version = '1.0' >"
    )
    assert header == StreamHeader(
        to="a&b",
        from_="b.example",
        version="1.0",
        lang="de-CH",
        id="7>6",
        content_namespace="jabber:server",
        namespaces={"stream": ns.STREAMS, "db": "jabber:server:dialback"},
    )


def test_what_a_header_leaves_out_is_empty() -> None:
    opened = XMLStream(ns.CLIENT, Limits())
    (header,) = opened.receive(b"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>")
    assert header == StreamHeader("", "", "", "", "", ns.CLIENT, {"s": ns.STREAMS})


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        (HEADER.replace(b"jabber:client", b"jabber:server"), "invalid-namespace"),
        (HEADER.replace(b"etherx", b"ethery"), "invalid-namespace"),
        (HEADER.replace(b" xmlns='jabber:client'", b""), "invalid-namespace"),
        (b"<stream xmlns='http://etherx.jabber.org/streams' to='a'>", "invalid-namespace"),
        (b"<stream xmlns='jabber:client' to='a'>", "invalid-namespace"),
        (b"<stream:stream to='a'>", "bad-namespace-prefix"),
        (HEADER.replace(b"stream:stream", b"stream:steam"), "bad-format"),
        (HEADER.replace(b"'en'>", b"'en'/>"), "bad-format"),
        (b"<message/>", "bad-format"),
        (b"<html><body>", "bad-format"),
        (b"GET / HTTP/1.1\r\n\r\n", "bad-format"),
        (b"\x16\x03\x01\x02\x00", "bad-format"),
        (b"\xef\xbb\xbf" + HEADER, "bad-format"),
        (b"<?xml version='1.0'?>stream" + HEADER[21:], "bad-format"),
        (b"</stream:stream>", "not-well-formed"),
        (b"<>", "not-well-formed"),
        (b"<stream:stream to='a' to='b'>", "not-well-formed"),
        (b"<stream:stream to=a>", "not-well-formed"),
        (b"<stream:stream to='\xff'>", "not-well-formed"),
        (b"<stream:stream to='\x00'>", "not-well-formed"),
        (b"<?xml encoding='UTF-8'?>" + HEADER[21:], "not-well-formed"),
        (HEADER.replace(b"to=", b"xmlns:a='' to="), "not-well-formed"),
        (HEADER.replace(b"to=", b"xmlns:xml='urn:a' to="), "not-well-formed"),
        (b"<?xml version='1.0'?><?xml version='1.0'?>" + HEADER[21:], "restricted-xml"),
        (b"<?xml-stylesheet href='a'?>" + HEADER, "restricted-xml"),
        (b"<!-- hello -->" + HEADER[21:], "restricted-xml"),
        (b"<?xml version='1.0'?><!DOCTYPE stream:stream SYSTEM 'file:///etc/passwd'>", "restricted-xml"),
        (b"<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;'>]>" + HEADER[21:], "restricted-xml"),
        (HEADER.replace(b"en", b"&amp;&lol;"), "restricted-xml"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?>" + HEADER[21:], "unsupported-encoding"),
        (b"<?xml version='1.0' encoding='UTF-16'?>" + HEADER[21:], "unsupported-encoding"),
        (HEADER.decode().encode("utf-16"), "unsupported-encoding"),
        (HEADER.decode().encode("utf-16-le"), "unsupported-encoding"),
        (HEADER.decode().encode("utf-16-be"), "unsupported-encoding"),
        (HEADER[:-1] + b" id='" + b"7" * 10_000 + b"'>", "policy-violation"),
        (b"<stream:stream id='" + b"7" * 10_000, "policy-violation"),
        (b"<?xml version='1.0' " + b" " * 10_000, "policy-violation"),
    ],
)
def test_a_wrong_header_is_refused(header: bytes, condition: str) -> None:
    assert taken(XMLStream(ns.CLIENT, Limits()), header) == ([], condition)
    assert taken(XMLStream(ns.CLIENT, Limits()), *bytewise(header)) == ([], condition)


def test_any_prefix_will_do_for_the_stream() -> None:
    opened = XMLStream(ns.CLIENT, Limits())
    data = HEADER.replace(b"stream:stream", b"flow:stream").replace(b"xmlns:stream", b"xmlns:flow")
    _, message, end = opened.receive(data + MESSAGE + b"</flow:stream>")
    assert isinstance(message, Element)
    assert message.tag == "message"
    assert end == StreamEnd()


# -- what stands below a header


def test_a_stanza_has_bare_names_whatever_the_content_namespace_is() -> None:
    for content in ns.CONTENT:
        opened = stream(header=HEADER.replace(b"jabber:client", content.encode()), content=content)
        message = one(opened, MESSAGE)
        assert message.tag == "message"
        assert message[0].tag == "body"
        assert message.tail is None


@pytest.mark.parametrize(
    "xml",
    [
        "<message xmlns='jabber:client'><body>Ay me</body> <error><text>a</text></error></message>",
        "<c:message xmlns:c='jabber:client'><c:body>Ay me</c:body> <c:error><c:text>a</c:text></c:error></c:message>",
        "<message><body xmlns='jabber:client'>Ay me</body> <error xmlns='jabber:client'><text>a</text></error>"
        "</message>",
        "<message><body xmlns = 'jabber&#58;client' >Ay me</body> <error><text>a</text></error></message>",
    ],
)
def test_an_explicit_content_namespace_means_the_same(xml: str) -> None:
    message = one(stream(), xml.encode())
    assert serialise(message) == "<message xml:lang='en'><body>Ay me</body> <error><text>a</text></error></message>"


def test_an_explicit_namespace_inside_a_foreign_element_stays() -> None:
    forwarded = "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body/></message></forwarded>"
    message = one(stream(), f"<message xmlns='jabber:client'><body/>{forwarded}</message>".encode())
    assert [item.tag for item in message.iter()] == [
        "message",
        "body",
        "{urn:xmpp:forward:0}forwarded",
        "{jabber:client}message",
        "{jabber:client}body",
    ]


def test_another_content_namespace_is_foreign() -> None:
    assert one(stream(), b"<message xmlns='jabber:server'><body/></message>").tag == "{jabber:server}message"


def test_a_prefix_of_the_header_holds_in_all_stanzas() -> None:
    header = HEADER.replace(b"to=", b"xmlns:db='jabber:server:dialback' xmlns:c='jabber:client' to=")
    opened = stream(header=header)
    assert one(opened, b"<db:result to='a'>key</db:result>").tag == "{jabber:server:dialback}result"
    assert one(opened, b"<c:message><c:body/></c:message>")[0].tag == "body"
    assert one(opened, b"<stream:features/>").tag == "{http://etherx.jabber.org/streams}features"


@pytest.mark.parametrize(
    "xml",
    [
        b"<message xmlns=''/>",
        b'<message to="a" xmlns=""><body/></message>',
        b"<message a=\"'\" b=' > ' xmlns\t=\n''></message>",
        b"<foo xmlns=''/>",
    ],
)
def test_an_element_of_no_namespace_is_no_stanza(xml: bytes) -> None:
    for authenticated in (True, False):
        for reads in ([MESSAGE, xml], [MESSAGE + xml], [MESSAGE + xml + MESSAGE], bytewise(MESSAGE + xml)):
            events, condition = taken(stream(authenticated=authenticated), *reads)
            assert (len(events), condition) == (1, "unsupported-stanza-type")


@pytest.mark.parametrize(
    "xml",
    [
        b"<message><x xmlns=''/></message>",
        b"<message><y xmlns='urn:y'><x xmlns=\"\"/></y></message>",
        b"<message id=\" xmlns=''\"/>",
        b"<message><body> xmlns='' </body></message>",
        b"<message><![CDATA[<message xmlns=''>]]></message>",
    ],
)
def test_no_namespace_further_down_does_no_harm(xml: bytes) -> None:
    for reads in ([xml + MESSAGE], bytewise(xml + MESSAGE), [MESSAGE, xml]):
        events, condition = taken(stream(), *reads)
        assert (len(events), condition) == (2, "")


def test_stanzas_without_a_language_have_the_streams() -> None:
    opened = stream()
    assert one(opened, b"<message/>").get(LANG) == "en"
    assert one(opened, b"<iq xmlns='jabber:client'/>").get(LANG) == "en"
    assert one(opened, b"<presence xml:lang='it'/>").get(LANG) == "it"
    assert one(opened, b"<message xml:lang=''/>").get(LANG) == ""
    assert one(opened, b"<r xmlns='urn:xmpp:sm:3'/>").get(LANG) is None


def test_a_stream_without_a_language_stamps_none() -> None:
    opened = stream(header=HEADER.replace(b" xml:lang='en'", b""))
    assert one(opened, b"<message/>").attrib == {}


def test_attributes_keep_their_namespaces() -> None:
    message = one(stream(), b"<message xmlns:a='urn:a' a:b='1' b='2' xml:lang='en'><c a:d='3'/></message>")
    assert message.attrib == {"{urn:a}b": "1", "b": "2", LANG: "en"}
    assert message[0].attrib == {"{urn:a}d": "3"}


def test_a_namespace_cannot_pass_for_a_bare_name() -> None:
    for uri in (b"jabber:client}x", b"}", b"jabber:client}"):
        events, condition = taken(stream(), b"<message xmlns='" + uri + b"'><body/></message>")
        assert (events, condition) == ([], "not-well-formed")


# -- cuts


CONVERSATION = (
    MESSAGE
    + b" \n<presence/>\t<iq id=\"a'>\" type='set'><q xmlns='urn:q'>a &lt; b &#x62; > c<![CDATA[ <!-- ' ]] <?d?> ]]>e"
    + b"<w/>f ]] <w>g</w> \xc3\xa9 \xf0\x9f\x8c\xb9 </q></iq><r xmlns='urn:xmpp:sm:3'/> "
    + b"<message xmlns='jabber:client' >"
    + b"<![CDATA[]]><body\n>two\r\nlines</body ></message><message><x xmlns='urn:x'><y xmlns=''/></x></message>"
    + b"<presence a='/>'/>  </stream:stream>"
)


def conversation() -> list[object]:
    events, condition = taken(stream(), CONVERSATION)
    assert condition == ""
    assert len(events) == 8
    return tidy(events)


def test_a_conversation_is_read_as_it_is_written() -> None:
    by_the_book = read(f"<stream:stream xmlns:stream='{ns.STREAMS}'>" + CONVERSATION.decode())
    for stanza in by_the_book:
        stanza.tail = None
        if stanza.tag in ("message", "presence", "iq", "{jabber:client}message"):
            stanza.set(LANG, "en")
        for item in stanza.iter():
            item.tag = item.tag.removeprefix("{jabber:client}")
    assert conversation() == [*(plain(stanza) for stanza in by_the_book), StreamEnd()]


@pytest.mark.parametrize("authenticated", [True, False])
def test_stanzas_may_be_cut_at_every_byte(authenticated: bool) -> None:
    expected = conversation()
    for at in range(len(CONVERSATION) + 1):
        events, condition = taken(stream(authenticated=authenticated), CONVERSATION[:at], CONVERSATION[at:])
        assert (tidy(events), condition) == (expected, "")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_stanzas_may_come_in_pieces(size: int) -> None:
    pieces = [CONVERSATION[at : at + size] for at in range(0, len(CONVERSATION), size)]
    assert tidy(taken(stream(), *pieces)[0]) == conversation()
    assert tidy(taken(stream(Limits(slice_bytes=size)), CONVERSATION)[0]) == conversation()


def test_an_event_comes_with_its_last_byte() -> None:
    opened = stream()
    for xml in (MESSAGE, b"<presence/>", b"<a xmlns='urn:xmpp:sm:3' h='1'/>", b"<iq id='>'><q xmlns='urn:q'/></iq>"):
        assert taken(opened, *bytewise(xml[:-1])) == ([], "")
        assert len(list(opened.receive(xml[-1:]))) == 1


def test_many_stanzas_come_in_one_read() -> None:
    numbered = b"".join(b"<message id='%d'><body>%s</body></message>" % (n, b"x" * (n % 97)) for n in range(3000))
    events, condition = taken(stream(), numbered)
    assert condition == ""
    assert [event.get("id") for event in events if isinstance(event, Element)] == [str(n) for n in range(3000)]


def test_white_space_between_stanzas_is_nothing() -> None:
    opened = stream()
    assert taken(opened, b" ", b"\n\r\t ", b" " * 1_000_000) == ([], "")
    assert taken(opened, MESSAGE + b"  ", b" " + MESSAGE)[0]
    assert all(event.tail is None for event in opened.receive(MESSAGE + b" " + MESSAGE) if isinstance(event, Element))


def test_what_was_handed_out_is_never_touched_again() -> None:
    opened = stream()
    first = one(opened, b"<message><body/></message>")
    rest, _ = taken(opened, b" ", b"<message>", b"text", b"</message> ", b" ")
    assert plain(first) == ("message", {LANG: "en"}, "", [(("body", {}, "", []), "")])
    assert first.tail is None
    assert len(rest) == 1


# -- restarts, rest and end


def test_a_restart_comes_between_two_events() -> None:
    opened = XMLStream(ns.CLIENT, Limits())
    auth = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>"
    seen: list[object] = []
    for event in opened.receive(HEADER + auth + b"\n" + HEADER + MESSAGE + MESSAGE):
        seen.append(event.tag if isinstance(event, Element) else type(event))
        if isinstance(event, Element) and event.tag.endswith("}auth"):
            assert opened.unread
            opened.restart()
            opened.authenticated()
    assert seen == [StreamHeader, "{urn:ietf:params:xml:ns:xmpp-sasl}auth", StreamHeader, "message", "message"]


def test_bytes_behind_starttls_are_seen() -> None:
    starttls = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    for behind, unread in [(b"", False), (b" \n", False), (b"<", True), (b"x", True), (HEADER, True)]:
        opened = XMLStream(ns.CLIENT, Limits())
        events = iter(opened.receive(HEADER + starttls + behind))
        next(events)
        next(events)
        assert opened.unread is unread


def test_what_is_not_taken_is_there_at_the_next_call() -> None:
    opened = XMLStream(ns.CLIENT, Limits())
    assert isinstance(next(iter(opened.receive(HEADER + MESSAGE + MESSAGE))), StreamHeader)
    assert len(list(opened.receive(MESSAGE))) == 3


def test_a_parser_that_rests_is_made_anew() -> None:
    opened = stream()
    opened.rest()
    assert one(opened, MESSAGE).tag == "message"
    list(opened.receive(MESSAGE[:30]))
    opened.rest()
    assert len(list(opened.receive(MESSAGE[30:]))) == 1
    opened.rest()
    assert list(opened.receive(b"</stream:stream>")) == [StreamEnd()]


def test_after_the_end_nothing_counts() -> None:
    for reads in (
        [b"</stream:stream>", MESSAGE],
        [b"</stream:stream>" + MESSAGE],
        [b"</stream:stream>\n<!-- a -->\x00"],
    ):
        opened = stream()
        assert taken(opened, *reads) == ([StreamEnd()], "")
        assert taken(opened, b"<a", b"\xff") == ([], "")


# -- what may not be sent

WRONG = [
    (b"<!-- Montague -->", "restricted-xml"),
    (b"<message><!-- it's a > comment --></message>", "restricted-xml"),
    (b"<message><body><!----></body></message>", "restricted-xml"),
    (b"<?php echo 'a'; ?>", "restricted-xml"),
    (b"<message><?php ?></message>", "restricted-xml"),
    (b"<?xml version='1.0'?>", "restricted-xml"),
    (b"<!DOCTYPE lolz [<!ENTITY lol 'lol'>]>", "restricted-xml"),
    (b"<message><!DOCTYPE a></message>", "restricted-xml"),
    (b"<message><![INCLUDE[a]]></message>", "restricted-xml"),
    (b"<message><body>&lol;</body></message>", "restricted-xml"),
    (b"<message><body>&nbsp;</body></message>", "restricted-xml"),
    (b"<message to='&lol;'/>", "restricted-xml"),
    (b"<c:message/>", "bad-namespace-prefix"),
    (b"<message c:a='b'/>", "bad-namespace-prefix"),
    (b"<message><c:a/></message>", "bad-namespace-prefix"),
    (b"<message></presence>", "not-well-formed"),
    (b"<message><body></message></body>", "not-well-formed"),
    (b"</message>", "not-well-formed"),
    (b"<message to='a' to='b'/>", "not-well-formed"),
    (b"<message xmlns:a='u' xmlns:b='u' a:c='' b:c=''/>", "not-well-formed"),
    (b"<message to=a/>", "not-well-formed"),
    (b"<message to='<'/>", "not-well-formed"),
    (b"<message <body/></message>", "not-well-formed"),
    (b"<message xmlns:a=''/>", "not-well-formed"),
    (b"<message><body>\x00</body></message>", "not-well-formed"),
    (b"<message><body>\x0b</body></message>", "not-well-formed"),
    (b"<message><body>\xc3</body></message>", "not-well-formed"),
    (b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
    (b"<message><body>\xc0\xbc</body></message>", "not-well-formed"),
    (b"<message><body>\xef\xbf\xbf</body></message>", "not-well-formed"),
    (b"<message><body>&#0;</body></message>", "not-well-formed"),
    (b"<message><body>&#xD800;</body></message>", "not-well-formed"),
    (b"<message><body>&#xFFFE;</body></message>", "not-well-formed"),
    (b"<message><body>& </body></message>", "not-well-formed"),
    (b"<message><body>]]></body></message>", "not-well-formed"),
    (b"<message>\xff\xfe<\x00</message>", "not-well-formed"),
    (b"<>", "not-well-formed"),
    (b"< message/>", "not-well-formed"),
    (b"<\xff/>", "not-well-formed"),
    (b"text", "bad-format"),
    (b"&amp;", "bad-format"),
    (b"\xef\xbb\xbf", "bad-format"),
    (b"\xc2\xa0", "bad-format"),
    (b"> <presence/>", "bad-format"),
]


@pytest.mark.parametrize(("xml", "condition"), WRONG)
@pytest.mark.parametrize("authenticated", [True, False])
def test_wrong_xml_ends_the_stream_after_what_was_right(xml: bytes, condition: str, authenticated: bool) -> None:
    for reads in ([MESSAGE + xml + MESSAGE], [MESSAGE, xml + MESSAGE], bytewise(MESSAGE + xml + MESSAGE)):
        opened = stream(authenticated=authenticated)
        events, found = taken(opened, *reads)
        assert found == condition
        assert len(events) == 1


@pytest.mark.parametrize(("xml", "condition"), WRONG)
def test_wrong_xml_is_found_when_it_is_whole(xml: bytes, condition: str) -> None:
    if condition != "bad-format":
        assert taken(stream(), xml) == ([], condition)


def test_an_error_is_final() -> None:
    opened = stream()
    assert taken(opened, b"<a></b>") == ([], "not-well-formed")
    for _ in range(2):
        assert taken(opened, MESSAGE) == ([], "not-well-formed")


def test_what_is_read_can_be_written() -> None:
    text = "\t\n\r\x85\u2028\ud7ff\ue000\ufffd\U0001ffff\U0010ffff"
    references = "".join(f"&#{ord(character)};" for character in text)
    message = one(stream(), f"<message id='{references}'><body>{references}</body></message>".encode())
    assert message.get("id") == message[0].text == text
    assert plain(read(serialise(message))) == plain(message)


# -- limits


def big(size: int) -> bytes:
    return b"<message to='romeo@montague.example' id='1'><body>" + b"x" * size + b"</body></message>"


def sliced(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [100, 1400, 65_536, 10_000_000])
@pytest.mark.parametrize(
    "inside",
    [
        b"<body>" + b"x" * 30_000 + b"</body>",
        b"<a/>" * 8_000,
        b"<a b='" + b'>"' * 15_000 + b"'/> ",
        b"<a>" * 4_000 + b"</a>" * 4_000,
        b"<a><![CDATA[</a></a>" + b"<a>" * 10_000 + b"]]></a>",
    ],
)
def test_a_stanza_that_is_too_large_is_refused_alone(inside: bytes, size: int) -> None:
    wrong = b"<message to='romeo@montague.example' id='1'>" + inside + b"</message>"
    opened = stream(Limits(stanza_bytes=20_000))
    events, condition = taken(opened, *sliced(MESSAGE + wrong + MESSAGE, size))
    assert condition == ""
    first, refused, last = events
    assert isinstance(refused, RefusedStanza)
    assert serialise(refused.stanza) == "<message to='romeo@montague.example' id='1'/>"
    assert tidy([first]) == tidy([last])


def test_a_stanza_may_be_as_large_as_the_limit() -> None:
    limits = Limits(stanza_bytes=20_000)
    rest = len(big(0))
    for size in (100, 1000, 100_000):
        assert isinstance(taken(stream(limits), *sliced(big(20_000 - rest), size))[0][0], Element)
        assert isinstance(taken(stream(limits), *sliced(big(20_001 - rest), size))[0][0], RefusedStanza)


@pytest.mark.parametrize("size", [1000, 10_000_000])
def test_patience_has_an_end(size: int) -> None:
    for wrong in (big(80_000), b"<message>" + b"<a/>" * 21_000, b"<message>" + b"<a>" * 28_000):
        assert taken(stream(Limits(stanza_bytes=20_000)), *sliced(MESSAGE + wrong, size))[1] == "policy-violation"


@pytest.mark.parametrize("size", [1000, 10_000_000])
@pytest.mark.parametrize(
    "xml",
    [
        big(10_000),
        b"<message>" + b"<a/>" * 5000,
        b"<message>" + b"<a>" * 101,
        b"<message>" + b"<a>" * 100 + b"</a>" * 100 + b"</message>",
        b"<iq " + b" ".join(b"a%d=''" % n for n in range(257)) + b"/>",
    ],
)
def test_before_authentication_limits_end_the_stream(xml: bytes, size: int) -> None:
    assert taken(stream(authenticated=False), *sliced(MESSAGE + xml, size))[1] == "policy-violation"


@pytest.mark.parametrize("size", [1000, 10_000_000])
@pytest.mark.parametrize(
    "xml",
    [
        b"<message" + b" " * 1_000_000,
        b"<message to='" + b">" * 1_000_000,
        b"<a xmlns='urn:a'>" + b"x" * 300_000 + b"</a>",
        b"<a xmlns='urn:a'>" + b"<a>" * 20_000,
        b"<foo>" + b"<a>" * 101 + b"</a>" * 101 + b"</foo>",
    ],
)
def test_what_is_no_stanza_cannot_be_refused_alone(xml: bytes, size: int) -> None:
    assert taken(stream(), *sliced(MESSAGE + xml, size))[1] == "policy-violation"


@pytest.mark.parametrize(
    ("depth", "refused"),
    [(99, False), (100, True), (20_000, True)],
)
def test_elements_may_stand_inside_one_another_so_deep(depth: int, refused: bool) -> None:
    xml = b"<message>" + b"<a>" * depth + b"</a>" * depth + b"</message>"
    for reads in ([xml], [MESSAGE, xml + MESSAGE], sliced(xml, 10), sliced(xml, 500)):
        events, condition = taken(stream(), *reads)
        assert condition == ""
        assert any(isinstance(event, RefusedStanza) for event in events) is refused


@pytest.mark.parametrize(("attributes", "refused"), [(256, False), (257, True), (2_000, True)])
def test_an_element_may_have_so_many_attributes(attributes: int, refused: bool) -> None:
    for quote in (b"''", b'""'):
        xml = b"<message><a " + b" ".join(b"a%d=%s" % (n, quote) for n in range(attributes)) + b"/></message>"
        for reads in ([xml], [MESSAGE, xml + MESSAGE], sliced(xml, 10)):
            events, condition = taken(stream(), *reads)
            assert condition == ""
            assert any(isinstance(event, RefusedStanza) for event in events) is refused


def test_small_limits_hold_for_small_stanzas() -> None:
    opened = stream(Limits(depth=2, attributes=1))
    refused = [b"<iq><a><b/></a></iq>", b"<iq><a b='' c=''/></iq>"]
    assert [type(event) for xml in refused for event in opened.receive(xml)] == [RefusedStanza] * 2
    assert one(opened, b"<iq><a b=''/></iq>").tag == "iq"


# -- cost


class Attempts:
    """Counts what the parser is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from fermata.core import stanza_reader

        self.parsers = self.feeds = self.fed = 0
        attempts, whole = self, stanza_reader.StanzaParser

        class Counting(whole):  # type: ignore[misc,valid-type]
            def __init__(self, root: bytes) -> None:
                attempts.parsers += 1
                super().__init__(root)

            def feed(self, data: bytes) -> list[Element]:
                attempts.feeds += 1
                attempts.fed += len(data)
                return super().feed(data)  # type: ignore[no-any-return]

        monkeypatch.setattr(stanza_reader, "StanzaParser", Counting)


@pytest.mark.parametrize(
    "dribble",
    [
        b"<a b='" + b"x" * 60_000 + b"'/>",
        b"<a b='" + b">" * 60_000 + b"'/>",
        b'<a b="' + b"'>" * 30_000 + b'"/>',
        b"<a " + b" ".join(b"b%d='>'" % n for n in range(200)) + b" " * 50_000 + b"/>",
        b"<a>" + b"x>" * 30_000 + b"</a>",
        b"<a>&#" + b"0" * 60_000 + b"65;</a>",
        b"<![CDATA[" + b"]>" * 30_000 + b"]]><a/>",
        b"<![CDATA[" + b"<a>" * 20_000 + b"]]><a/>",
    ],
)
def test_a_dribbled_token_is_parsed_once(monkeypatch: pytest.MonkeyPatch, dribble: bytes) -> None:
    attempts = Attempts(monkeypatch)
    xml = b"<message>" + dribble + b"</message>"
    events, condition = taken(stream(), *bytewise(xml))
    assert (len(events), condition) == (1, "")
    assert attempts.feeds <= 4
    assert attempts.fed == len(xml)


def test_white_space_never_reaches_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(monkeypatch)
    assert taken(stream(), *[b" \n"] * 10_000) == ([], "")
    assert attempts.feeds == 0


def test_the_parser_is_given_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(monkeypatch)
    xml = b"<message>" + b"<a/>" * 20_000 + b"</message>"
    assert len(taken(stream(), xml)[0]) == 1
    assert len(xml) / 4096 <= attempts.feeds <= len(xml) / 4096 * 1.1


def test_the_parser_does_not_live_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(monkeypatch)
    opened = stream(Limits(parser_bytes=100_000))
    for n in range(10_000):
        assert one(opened, b"<message><invented-%d xmlns='urn:invented:%d' a%d=''/></message>" % (n, n, n)).tag
    assert attempts.parsers == attempts.fed // 100_000 + 1


def traced(opened: XMLStream, stanzas: int) -> int:
    """How many bytes it takes for good to read stanzas that are all made of new names."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(stanzas):
            list(opened.receive(b"<message><invented-%d xmlns='urn:invented:%d' a%d=''/></message>" % (n, n, n)))
        opened.rest()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_invented_names_do_not_pile_up() -> None:
    assert traced(stream(), 5_000) < 20_000


@pytest.mark.parametrize(
    "begun",
    [
        b"<message><body>" + b"x" * 300_000,
        b"<message>" + b"<a>" * 20_000,
        b"<message a='" + b"x" * 20_000,
    ],
    ids=["long", "deep", "in a tag"],
)
def test_the_end_of_the_stream_inside_a_stanza_that_is_skipped_is_an_error(begun: bytes) -> None:
    assert taken(stream(), begun, b"</stream:stream>") == ([], "not-well-formed")
