"""XML elements: building, finding, copying, writing.

An element is the standard library's, with names in Clark notation (`{namespace}local`). What is in the stream's own
namespace, whichever that is, has a bare name (`message`, `body`): so a stanza is the same thing between client and
server, between servers and for components. `serialise` is the only place that writes XML.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from xml.etree.ElementTree import Element

from . import namespaces as ns

__all__ = [
    "E",
    "Element",
    "child",
    "children_in",
    "copy_of",
    "escape",
    "local_name",
    "namespace",
    "serialise",
    "without",
]

_XML_ATTRIBUTE = "{" + ns.XML + "}"
_SPECIAL = re.compile("[&<>'\"\r\n\t\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "'": "&apos;",
    '"': "&quot;",
    "\r": "&#13;",
    "\n": "&#10;",
    "\t": "&#9;",
}


def E(tag: str, attributes: Mapping[str, str] | None = None, *children: "Element | str") -> Element:
    """A new element; a string among the children is text and must come first."""
    element = Element(tag, dict(attributes) if attributes else {})
    for item in children:
        if isinstance(item, str):
            element.text = item
        else:
            element.append(item)
    return element


def child(element: Element, tag: str) -> Element | None:
    """The first child with that Clark name. (`Element.find` would parse the namespace as a path.)"""
    for item in element:
        if item.tag == tag:
            return item
    return None


def children_in(element: Element, uri: str) -> Iterator[Element]:
    """The children in that namespace."""
    prefix = "{" + uri + "}"
    return (item for item in element if item.tag.startswith(prefix))


def without(element: Element, *uris: str) -> None:
    """Takes every child in one of these namespaces out of the element."""
    prefixes = tuple("{" + uri + "}" for uri in uris)
    for item in [item for item in element if item.tag.startswith(prefixes)]:
        element.remove(item)


def copy_of(element: Element) -> Element:
    """A copy that shares nothing with the original; iterative, so that depth costs no stack."""
    top = Element(element.tag, dict(element.attrib))
    top.text = element.text
    pending = [(element, top)]
    while pending:
        source, target = pending.pop()
        for item in source:
            twin = Element(item.tag, dict(item.attrib))
            twin.text, twin.tail = item.text, item.tail
            target.append(twin)
            if len(item):
                pending.append((item, twin))
    return top


@lru_cache(maxsize=4096)
def _split(tag: str) -> tuple[str, str]:
    if tag[0] == "{":
        uri, _, local = tag[1:].rpartition("}")
        return uri, local
    return "", tag


def namespace(element: Element) -> str:
    """The element's namespace; empty for the stream's own."""
    return _split(element.tag)[0]


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return _split(element.tag)[1]


def _entity(match: "re.Match[str]") -> str:
    found = match.group()
    try:
        return _ENTITIES[found]
    except KeyError:
        raise ValueError(f"a character that XML cannot carry: U+{ord(found):04X}") from None


def escape(text: str) -> str:
    """Text for an attribute value or for character data. Raises ValueError for what XML cannot carry."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(_entity, text)


def escape_text(text: str) -> str:
    """Character data: line ends and quotes may stand as they are, a carriage return may not."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL_TEXT.sub(_entity, text)


_SPECIAL_TEXT = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def serialise(element: Element, within: str = "") -> str:
    """Writes an element as it stands below one of namespace `within`; a tail of the topmost one is not written.

    A bare name below a foreign element is a forwarded stanza's: it is written as `jabber:client` (XEP-0297).
    """
    out: list[str] = []
    _write(element, within, out)
    return "".join(out)


def _write(element: Element, within: str, out: list[str]) -> None:
    uri, name = _split(element.tag)
    out.append("<" + name)
    if uri != within:
        out.append(f" xmlns='{escape(uri or ns.CLIENT)}'")
    prefixes = 0
    for key, value in element.attrib.items():
        if key[0] == "{":
            if key.startswith(_XML_ATTRIBUTE):
                key = "xml:" + key[len(_XML_ATTRIBUTE) :]
            else:
                uri_of_key, key = _split(key)
                out.append(f" xmlns:a{prefixes}='{escape(uri_of_key)}'")
                key = f"a{prefixes}:{key}"
                prefixes += 1
        out.append(f" {key}='{escape(value)}'")
    text = element.text
    if text or len(element):
        out.append(">")
        if text:
            out.append(escape_text(text))
        for item in element:
            _write(item, uri, out)
            if item.tail:
                out.append(escape_text(item.tail))
        out.append(f"</{name}>")
    else:
        out.append("/>")
