"""Elements to domish and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.words.xish import domish

from fermata.xmpp import namespaces as ns
from fermata.xmpp.bridge import from_domish, to_domish
from fermata.xmpp.element import E, Element, serialise
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.wokkel import generic
from kit.xml import plain, read

FOREIGN = ["urn:a", "urn:b:0", "http://example.org/x", ns.DELAY]
names = st.sampled_from(["message", "body", "x", "item", "é-1"])
printable = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
text = st.text(st.one_of(printable, st.sampled_from("\n\t")))
attribute_names = st.one_of(names, st.sampled_from(["{%s}lang" % ns.XML, "{urn:a}id", "{urn:c}id", "{jabber:client}x"]))
# domish writes a line break in an attribute as it stands, so that it is read as a space.
attributes = st.dictionaries(attribute_names, st.text(printable), max_size=3)


def nodes(tags: st.SearchStrategy[str], below: st.SearchStrategy[Element] | None = None) -> st.SearchStrategy[Element]:
    def build(tag: str, attributes: dict[str, str], text: str, children: list[tuple[Element, str]]) -> Element:
        element = Element(tag, attributes)
        element.text = text or None
        for item, tail in children:
            item.tail = tail or None
            element.append(item)
        return element

    children = st.lists(st.tuples(below, text), max_size=3) if below is not None else st.just([])
    return st.builds(build, tags, attributes, text, children)


foreign_tags = st.builds("{{{}}}{}".format, st.sampled_from([*FOREIGN, *ns.CONTENT]), names)
outer_tags = st.builds("{{{}}}{}".format, st.sampled_from(FOREIGN), names)
below_foreign = st.recursive(nodes(foreign_tags), lambda inner: nodes(foreign_tags, inner), max_leaves=5)
foreign = nodes(outer_tags, below_foreign)
stanzas = st.recursive(foreign, lambda inner: nodes(names, st.one_of(inner, foreign)), max_leaves=8)


@settings(deadline=None)
@given(stanzas, st.sampled_from(ns.CONTENT))
def test_there_and_back_changes_nothing(element: Element, content_namespace: str) -> None:
    assert plain(from_domish(to_domish(element, content_namespace))) == plain(element)


@settings(deadline=None)
@given(stanzas, st.sampled_from(ns.CONTENT))
def test_domish_writes_what_we_would_write(element: Element, content_namespace: str) -> None:
    ours = f"<stream xmlns='{content_namespace}'>{serialise(element)}</stream>"
    theirs = f"<stream xmlns='{content_namespace}'>{to_domish(element, content_namespace).toXml()}</stream>"
    assert plain(read(theirs)) == plain(read(ours))


@settings(deadline=None)
@given(stanzas)
def test_what_domish_parses_is_what_we_parse(element: Element) -> None:
    xml = serialise(element)
    assert plain(from_domish(generic.parseXml(f"<r>{xml}</r>".encode()))) == plain(read(f"<r>{xml}</r>"))


def test_prefixes_are_only_another_spelling() -> None:
    prefixed = (
        "<r xmlns:p='urn:p'><message xmlns='jabber:server' xmlns:s='jabber:server' p:at='1' xml:lang='de'>"
        "text<s:body>hello<p:b p:c='d'>bold</p:b> tail</s:body><p:x><y/><q xmlns='urn:q'><p:z/></q></p:x></message></r>"
    )
    plainly = (
        "<r xmlns:p='urn:p'><message p:at='1' xml:lang='de'>"
        "text<body>hello<p:b p:c='d'>bold</p:b> tail</body>"
        "<p:x><n:y xmlns:n='jabber:server'/><q xmlns='urn:q'><p:z/></q></p:x></message></r>"
    )
    assert plain(from_domish(generic.parseXml(prefixed.encode()))) == plain(read(plainly))


FORWARDED = (
    "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='a'><body>hi</body></message></forwarded>"
)


def test_a_forwarded_stanza_keeps_its_namespace() -> None:
    element = read(f"<message>{FORWARDED}</message>")
    assert plain(from_domish(to_domish(element, ns.SERVER))) == plain(element)


def test_a_bare_stanza_that_we_forward_is_one_of_a_client() -> None:
    element = E("message", {}, E("{%s}forwarded" % ns.FORWARD, {}, E("message", {"to": "a"}, E("body", {}, "hi"))))
    assert plain(from_domish(to_domish(element, ns.COMPONENT))) == plain(read(f"<message>{FORWARDED}</message>"))


def test_elements_built_without_a_namespace_inherit_it() -> None:
    message = domish.Element((None, "message"))
    message.addElement("body", content="hi")
    payload = message.addElement(("urn:a", "a"))
    payload.addElement("b")
    payload.addChild(domish.Element((None, "c")))
    message["xml:lang"] = "la"
    expected = "<message xml:lang='la'><body>hi</body><a xmlns='urn:a'><b/><c/></a></message>"
    assert plain(from_domish(message)) == plain(read(expected))


@pytest.mark.parametrize("uri", ["a'/><stream:error/>", "a&b", "a<b"])
def test_a_namespace_that_domish_would_break_is_refused(uri: str) -> None:
    for element in (E("message", {}, E("{%s}x" % uri)), E("message", {"{%s}x" % uri: "1"})):
        with pytest.raises(StanzaError) as refused:
            to_domish(element)
        assert refused.value.condition == "not-acceptable"


def test_serialised_xml_cannot_pass() -> None:
    element = domish.Element((None, "message"))
    element.addRawXml("<body>hi</body>")
    with pytest.raises(ValueError, match="serialised"):
        from_domish(element)


def test_depth_costs_no_stack() -> None:
    top = element = Element("message")
    for _ in range(50_000):
        inner = Element("x")
        element.append(inner)
        element = inner
    back: Element | None = from_domish(to_domish(top))
    depth = 0
    while back is not None and len(back):
        back, depth = back[0], depth + 1
    assert depth == 50_000
