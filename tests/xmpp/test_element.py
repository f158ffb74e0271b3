"""Elements: built, found, copied and written."""

import re
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import (
    E,
    Element,
    _tags,
    child,
    children_in,
    copy_of,
    escape,
    escape_text,
    local_name,
    namespace,
    serialise,
    without,
)
from kit.xml import plain, read

HINT = "{%s}store" % ns.HINTS
LANG = "{%s}lang" % ns.XML


@pytest.mark.parametrize(
    ("element", "xml"),
    [
        (E("message"), "<message/>"),
        (E("message", {"type": "chat", "id": "1"}), "<message type='chat' id='1'/>"),
        (E("body", {}, "Hi"), "<body>Hi</body>"),
        (E("body", {}, ""), "<body/>"),
        (E("message", {}, E("body", {}, "Hi")), "<message><body>Hi</body></message>"),
        (E("message", {}, E(HINT)), "<message><store xmlns='urn:xmpp:hints'/></message>"),
        (E(HINT), "<store xmlns='urn:xmpp:hints'/>"),
        (E("{urn:x}a", {}, E("{urn:x}b")), "<a xmlns='urn:x'><b/></a>"),
        (
            E("{urn:x}a", {}, E("{urn:y}b", {}, E("{urn:x}c"))),
            "<a xmlns='urn:x'><b xmlns='urn:y'><c xmlns='urn:x'/></b></a>",
        ),
        # a forwarded stanza
        (
            E("{urn:x}forwarded", {}, E("message", {}, E("body", {}, "Hi"))),
            "<forwarded xmlns='urn:x'><message xmlns='jabber:client'><body>Hi</body></message></forwarded>",
        ),
        (
            E("{urn:x}a", {}, E("{jabber:client}message", {}, E("{jabber:client}body"))),
            "<a xmlns='urn:x'><message xmlns='jabber:client'><body/></message></a>",
        ),
        # attributes in namespaces
        (E("message", {LANG: "de"}), "<message xml:lang='de'/>"),
        (E("{urn:x}a", {"{urn:x}b": "1"}), "<a xmlns='urn:x' xmlns:a0='urn:x' a0:b='1'/>"),
        (
            E("a", {"x": "0", "{urn:x}b": "1", LANG: "en", "{urn:y}b": "2"}),
            "<a x='0' xmlns:a0='urn:x' a0:b='1' xml:lang='en' xmlns:a1='urn:y' a1:b='2'/>",
        ),
        # the namespace that nobody may declare
        (E("message", {}, E("{%s}a" % ns.XML)), "<message><xml:a/></message>"),
        (E("{urn:x}a", {}, E("{%s}b" % ns.XML, {}, E("{urn:x}c"))), "<a xmlns='urn:x'><xml:b><c/></xml:b></a>"),
        # what must be escaped
        (E("a", {"b": "&<>'\"\r\n\t"}), "<a b='&amp;&lt;&gt;&apos;&quot;&#13;&#10;&#9;'/>"),
        (E("a", {}, "&<>'\"\r\n\t]]>"), "<a>&amp;&lt;&gt;'\"&#13;\n\t]]&gt;</a>"),
        (E("{a'b&c}d", {"{e<f}g": "h"}), "<d xmlns='a&apos;b&amp;c' xmlns:a0='e&lt;f' a0:g='h'/>"),
        (E("a", {}, "\x7f\x85\U0001f600\ufffd\ue000"), "<a>\x7f\x85\U0001f600\ufffd\ue000</a>"),
    ],
)
def test_an_element_is_written_as(element: Element, xml: str) -> None:
    assert serialise(element) == xml


def test_an_element_is_written_for_the_place_where_it_stands() -> None:
    element = E("{urn:x}a", {}, E("{urn:x}b"), E("c"))
    assert serialise(element, "urn:x") == "<a><b/><c xmlns='jabber:client'/></a>"
    assert serialise(E("c"), "urn:x") == "<c xmlns='jabber:client'/>"


@pytest.mark.parametrize(
    "xml",
    [
        "<a>one<b/>two<c>three</c>four &amp; five&#13;</a>",
        "<a><b/> </a>",
        "<a xmlns='urn:x'>one<b xmlns='urn:y'>two</b>three</a>",
    ],
)
def test_mixed_content_stays_where_it_was(xml: str) -> None:
    assert serialise(read(xml)) == xml


def test_what_follows_the_topmost_element_is_not_its_own() -> None:
    assert serialise(read("<a>one<b>two</b>three</a>")[0]) == "<b>two</b>"


@pytest.mark.parametrize("char", ["\x00", "\x08", "\x0b", "\x0c", "\x1f", "\ud800", "\ufffe", "\uffff"])
@pytest.mark.parametrize(
    "template", [lambda c: E("a", {}, c), lambda c: E("a", {"b": c}), lambda c: E("a", {"{%s}b" % c: ""})]
)
def test_what_xml_cannot_carry_is_refused(char: str, template: object) -> None:
    with pytest.raises(ValueError, match=f"U\\+{ord(char):04X}"):
        serialise(template(f"x{char}"))  # type: ignore[operator]


def test_a_tail_that_xml_cannot_carry_is_refused() -> None:
    element = E("a", {}, E("b"))
    element[0].tail = "\0"
    with pytest.raises(ValueError, match="U\\+0000"):
        serialise(element)


def nested(depth: int) -> Element:
    top = element = E("{urn:x}a")
    for _ in range(depth - 1):
        element.append(E("{urn:x}a"))
        element = element[0]
    return top


def test_trees_as_deep_as_any_parser_lets_them_be_are_written_and_copied() -> None:
    tree = nested(100)
    xml = "<a xmlns='urn:x'>" + "<a>" * 98 + "<a/>" + "</a>" * 99
    assert serialise(tree) == xml
    assert serialise(copy_of(tree)) == xml
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(stack_depth() + 130)
    try:
        assert serialise(tree) == xml
    finally:
        sys.setrecursionlimit(limit)


def stack_depth() -> int:
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    return depth


def test_a_copy_of_a_very_deep_tree_takes_no_stack() -> None:
    assert len(list(copy_of(nested(50_000)).iter())) == 50_000


def test_invented_names_are_not_remembered_for_ever() -> None:
    for number in range(10_000):
        assert serialise(E(f"a{number}")) == f"<a{number}/>"
    long = "a" * 100_000
    assert serialise(E(long)) == f"<{long}/>"
    assert len(_tags) <= 4096
    assert max(len(tag) for tag, _ in _tags) < 1000


names = st.from_regex(re.compile("[a-z][a-z0-9.-]{0,5}", re.ASCII), fullmatch=True)
uris = st.sampled_from(["urn:x", "urn:y", "jabber:client", ns.XML, "it's <&>"])
xml_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff\x7f").filter(
        lambda char: char >= " " or char in "\t\n\r"
    )
)
tags = names | st.builds("{{{}}}{}".format, uris, names)
attributes = st.dictionaries(names | st.builds("{{{}}}{}".format, uris, names), xml_text, max_size=3)
leaves = st.builds(lambda tag, attributes, text: E(tag, attributes, text), tags, attributes, xml_text)


def with_children(tag: str, attributes: dict[str, str], text: str, children: list[tuple[Element, str]]) -> Element:
    element = E(tag, attributes, text)
    for item, tail in children:
        item = copy_of(item)
        item.tail = tail
        element.append(item)
    return element


trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        with_children, tags, attributes, xml_text, st.lists(st.tuples(inner, xml_text), max_size=3)
    ),
    max_leaves=10,
)


def as_read(element: Element, within: str = "") -> Element:
    """What a parser makes of an element: a bare name below a foreign one is a forwarded stanza's."""
    uri = namespace(element)
    tag = element.tag
    if not uri and within:
        tag = "{%s}%s" % (ns.CLIENT, tag)
    twin = E(tag, element.attrib, element.text or "")
    inside = within if uri == ns.XML else "" if not uri and not within else uri or ns.CLIENT
    for item in element:
        twin.append(as_read(item, inside))
        twin[-1].tail = item.tail
    return twin


@given(trees)
def test_what_is_written_can_be_read_again(tree: Element) -> None:
    expected = tree if namespace(tree) != ns.XML else E("top", {}, tree)
    assert plain(read(serialise(expected))) == plain(as_read(expected))
    assert plain(copy_of(expected)) == plain(expected)


@given(st.text())
def test_escaped_text_is_read_as_it_was_or_is_refused(text: str) -> None:
    try:
        attribute, content = escape(text), escape_text(text)
    except ValueError:
        return
    element = ElementTree.fromstring(f"<a b='{attribute}'>{content}</a>".encode())
    assert element.get("b") == text
    assert (element.text or "") == text


def test_elements_are_found_by_name_and_namespace() -> None:
    message = read("<message><body/><a xmlns='urn:x' n='1'/><b xmlns='urn:x:y'/><a xmlns='urn:x' n='2'/></message>")
    found = child(message, "{urn:x}a")
    assert found is not None
    assert found.get("n") == "1"
    assert child(message, "a") is None
    assert child(message, "body") is message[0]
    assert [item.get("n") for item in children_in(message, "urn:x")] == ["1", "2"]
    assert [(namespace(item), local_name(item)) for item in message][:2] == [("", "body"), ("urn:x", "a")]


def test_children_are_taken_out_by_namespace() -> None:
    message = read("<message><body/><a xmlns='urn:x'/><a xmlns='urn:x'/><b xmlns='urn:y'/><c xmlns='urn:z'/></message>")
    without(message, "urn:x", "urn:y")
    assert serialise(message) == "<message><body/><c xmlns='urn:z'/></message>"
    without(message)
    assert len(message) == 2


def test_a_copy_shares_nothing() -> None:
    original = read("<a x='1'>one<b y='2'><c/>two</b>three</a>")
    xml = serialise(original)
    copy = copy_of(original)
    copy.set("x", "9")
    copy[0].set("y", "9")
    copy[0].append(E("d"))
    assert serialise(original) == xml
    assert copy.tail is None


def test_a_new_element_has_its_own_attributes() -> None:
    attributes = {"a": "1"}
    E("x", attributes).set("a", "2")
    assert attributes == {"a": "1"}
