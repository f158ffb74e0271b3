"""XML elements: building, finding, copying, writing.

An element is the standard library's, with names in Clark notation (`{namespace}local`). What is in the stream's own
namespace, whichever that is, has a bare name (`message`, `body`): so a stanza is the same thing between client and
server, between servers and for components. `serialise` is the only place that writes XML.
"""

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from . import namespaces as ns

__all__ = [
    "E",
    "Element",
    "child",
    "children_in",
    "copy_of",
    "escape",
    "escape_text",
    "local_name",
    "namespace",
    "serialise",
    "without",
]

_SPECIAL = re.compile("[&<>'\"\r\n\t\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL_IN_TEXT = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_special, _special_in_text = _SPECIAL.search, _SPECIAL_IN_TEXT.search
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
# How tags are written that were met before; peers can invent names, so there are limits to that.
_REMEMBERED_TAGS = 4096
_REMEMBERED_CHARACTERS = 300
_tags: dict[tuple[str, str], tuple[str, str, str]] = {}


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


def namespace(element: Element) -> str:
    """The element's namespace; empty for the stream's own."""
    return _split(element.tag)[0]


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return _split(element.tag)[1]


def _split(tag: str) -> tuple[str, str]:
    if tag[0] == "{":
        uri, _, local = tag[1:].rpartition("}")
        return uri, local
    return "", tag


def escape(text: str) -> str:
    """Text for an attribute value or for character data. Raises ValueError for what XML cannot carry."""
    return text if _special(text) is None else _SPECIAL.sub(_entity, text)


def escape_text(text: str) -> str:
    """Character data: line ends and quotes may stand as they are, a carriage return may not."""
    return text if _special_in_text(text) is None else _SPECIAL_IN_TEXT.sub(_entity, text)


def _entity(match: "re.Match[str]") -> str:
    found = match.group()
    try:
        return _ENTITIES[found]
    except KeyError:
        raise ValueError(f"a character that XML cannot carry: U+{ord(found):04X}") from None


def serialise(element: Element, within: str = "") -> str:
    """Writes an element as it stands below one of namespace `within`; a tail of the topmost one is not written.

    A bare name below a foreign element is a forwarded stanza's: it is written as `jabber:client` (XEP-0297). Raises
    ValueError for characters that XML cannot carry. Each level of the tree takes a frame of the stack: what keeps
    trees shallow is the limit of whoever parsed them (`core.xmlstream`).
    """
    out: list[str] = []
    _write(element, within, out)
    return "".join(out)


def _write(element: Element, within: str, out: list[str]) -> None:
    # Every stanza goes through here: hence no calls for the ordinary attribute and text.
    opening, closing, inside = _tags.get((element.tag, within)) or _tags_of(element.tag, within)
    for key, value in element.attrib.items():
        if key[0] == "{":
            opening += _qualified(key, value, opening)
        else:
            opening = f"{opening} {key}='{value if _special(value) is None else escape(value)}'"
    text = element.text
    if text and _special_in_text(text) is not None:
        text = escape_text(text)
    if not len(element):
        out.append(f"{opening}>{text}{closing}" if text else opening + "/>")
        return
    out.append(f"{opening}>{text}" if text else opening + ">")
    for item in element:
        _write(item, inside, out)
        if item.tail:
            out.append(escape_text(item.tail))
    out.append(closing)


def _tags_of(tag: str, within: str) -> tuple[str, str, str]:
    """How a tag begins and ends below namespace `within`, and the default namespace below it."""
    uri, name = _split(tag)
    if uri == ns.XML:  # may not be declared, so it is never the default
        tags = f"<xml:{name}", f"</xml:{name}>", within
    elif uri == within:
        tags = f"<{name}", f"</{name}>", uri
    else:
        tags = f"<{name} xmlns='{escape(uri or ns.CLIENT)}'", f"</{name}>", uri
    if len(tag) + len(within) <= _REMEMBERED_CHARACTERS:
        if len(_tags) >= _REMEMBERED_TAGS:
            _tags.clear()
        _tags[tag, within] = tags
    return tags


def _qualified(key: str, value: str, opening: str) -> str:
    """An attribute in a namespace, after `opening`; unless it is an `xml:` one, it brings a prefix of its own."""
    uri, name = _split(key)
    if uri == ns.XML:
        return f" xml:{name}='{escape(value)}'"
    prefix = f"a{opening.count(' xmlns:a')}"
    return f" xmlns:{prefix}='{escape(uri)}' {prefix}:{name}='{escape(value)}'"
