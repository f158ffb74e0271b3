"""The stream, given anything: a stanza comes out whole however it is cut, any bytes end in a stream error at most."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from fermata.core.xmlstream import Limits, RefusedStanza, StreamEvent, XMLStream
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, serialise
from fermata.xmpp.errors import StreamError
from kit.xml import plain

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
FIXED = settings(deadline=None, max_examples=150, derandomize=True)

names = st.sampled_from(["a", "body", "x-y.z", "_", "message", "é"])
uris = st.sampled_from(["urn:a", "urn:b?c=d&e", "jabber:server", "'\"<>", "{"])
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20
) | st.sampled_from(["]]>", "<!-- -->", "\t\n\r", "&amp;", " ", "<![CDATA[", "' \" >", "xmlns=''"])
keys = names | st.builds("{{{}}}{}".format, uris, names) | st.just("{%s}lang" % ns.XML)


@st.composite
def elements(draw: st.DrawFn, tags: st.SearchStrategy[str], depth: int = 3) -> Element:
    """An element whose children are all in a namespace, or in that of a stanza."""
    element = Element(draw(tags), draw(st.dictionaries(keys, texts, max_size=3)))
    element.text = draw(texts)
    # What is bare below a foreign element would be written as a forwarded stanza's (see `serialise`).
    foreign = st.builds("{{{}}}{}".format, uris, names)
    inner = foreign if element.tag[0] == "{" else names | foreign
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        item = draw(elements(inner, depth - 1))
        item.tail = draw(texts)
        element.append(item)
    return element


stanzas = elements(st.sampled_from(["message", "presence", "iq"]))


def outcome(stream: XMLStream, reads: list[bytes]) -> tuple[list[StreamEvent], str]:
    """The events, and the condition of the stream error after them if there is one."""
    events: list[StreamEvent] = []
    try:
        for data in reads:
            events.extend(stream.receive(data))
    except StreamError as error:
        return events, error.condition
    return events, ""


def tidy(events: list[StreamEvent]) -> list[object]:
    return [plain(event) if isinstance(event, Element) else event for event in events]


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(at % (len(data) + 1) for at in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


def opened(limits: Limits, authenticated: bool = True) -> XMLStream:
    stream = XMLStream(ns.CLIENT, limits)
    if authenticated:
        stream.authenticated()
    assert len(list(stream.receive(HEADER))) == 1
    return stream


@FIXED
@given(st.lists(stanzas, max_size=4), st.lists(st.integers(0, 100_000), max_size=8), st.sampled_from([40, 300, 4096]))
def test_any_stanza_comes_out_however_it_is_cut(sent: list[Element], cuts: list[int], slice_bytes: int) -> None:
    data = " ".join(serialise(stanza) for stanza in sent).encode()
    got, condition = outcome(opened(Limits(slice_bytes=slice_bytes)), cut(data, cuts))
    assert condition == ""
    assert [plain(stanza) for stanza in got if isinstance(stanza, Element)] == [plain(stanza) for stanza in sent]


@FIXED
@given(st.lists(stanzas, min_size=1, max_size=4), st.lists(st.integers(0, 100_000), max_size=8), st.integers(50, 500))
def test_whatever_is_too_large_takes_nothing_else_with_it(sent: list[Element], cuts: list[int], size: int) -> None:
    xml = [serialise(stanza) for stanza in sent]
    got, condition = outcome(opened(Limits(stanza_bytes=size, slice_bytes=32)), cut("".join(xml).encode(), cuts))
    if condition:
        assert condition == "policy-violation"
        assert any(len(text.encode()) > size for text in xml)
        return
    assert len(got) == len(sent)
    for event, stanza, text in zip(got, sent, xml, strict=True):
        if isinstance(event, RefusedStanza):
            assert len(text.encode()) > size
            assert event.stanza.attrib == stanza.attrib
        else:
            assert isinstance(event, Element)
            assert plain(event) == plain(stanza)


pieces = st.sampled_from(
    [
        *(
            "<",
            ">",
            "</",
            "/>",
            "'",
            '"',
            "=",
            " ",
            "\n",
            "&",
            ";",
            "&lt;",
            "&#65;",
            "&x;",
            "a",
            "é",
            "\x00",
            "\ufeff",
            "]]>",
        ),
        *(
            "<a>",
            "</a>",
            "<a/>",
            "<message>",
            "</message>",
            "<iq/>",
            "<a b='",
            "<![CDATA[",
            "<!--",
            "-->",
            "<?",
            "?>",
            "<!",
        ),
        *(
            " xmlns='",
            " xmlns=''",
            "jabber:client",
            "xmlns:c='urn:c'",
            "c:",
            "xml:lang='en'",
            "</stream:stream>",
            HEADER.decode(),
        ),
    ]
).map(str.encode) | st.binary(max_size=3)


@settings(FIXED, max_examples=300)
@given(st.lists(pieces, max_size=25), st.lists(st.integers(0, 100_000), max_size=4), st.booleans(), st.booleans())
def test_anything_ends_in_a_stream_error_at_most(
    found: list[bytes], cuts: list[int], with_header: bool, authenticated: bool
) -> None:
    limits = Limits(stanza_bytes=200, unauthenticated_bytes=200, depth=4, attributes=2, slice_bytes=16, parser_bytes=50)
    stream = opened(limits, authenticated) if with_header else XMLStream(ns.CLIENT, limits)
    events, condition = outcome(stream, cut(b"".join(found), cuts))
    for event in events:
        if isinstance(event, Element):
            assert event.tail is None
            serialise(event)
    if condition:
        assert outcome(stream, [b"<iq/>"]) == ([], condition)


@settings(FIXED, max_examples=300)
@given(st.lists(pieces, max_size=25), st.lists(st.integers(0, 100_000), min_size=1, max_size=4))
def test_cuts_change_nothing_of_what_is_received(found: list[bytes], cuts: list[int]) -> None:
    # Whether an error is found before what it is in has ended may depend on the cuts; what comes before it may not.
    data = b"<message>" + b"".join(found)
    whole, _ = outcome(opened(Limits()), [data])
    in_parts, _ = outcome(opened(Limits()), cut(data, cuts))
    assert tidy(in_parts) == tidy(whole)
