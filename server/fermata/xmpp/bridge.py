"""Elements to and from domish, Twisted's own element class, which wokkel and its components speak.

The two say the same in different words: a bare name (`message`) stands for the stream's namespace, which domish spells
out; domish keeps text among the children, where an Element has `text` and `tail`. Both ways are iterative, so that
depth costs no stack.
"""

import re
from typing import Any, Final

from twisted.words.xish import domish

from . import namespaces as ns
from .element import Element
from .errors import StanzaError

# domish writes a namespace into its declaration as it stands: any of these would end or break the attribute.
_UNWRITABLE: Final = re.compile("[&<']")


def _split(name: str) -> tuple[str, str]:
    if not name.startswith("{"):
        return "", name
    uri, _, local = name[1:].rpartition("}")
    if _UNWRITABLE.search(uri):
        raise StanzaError("not-acceptable", "a namespace has a character that cannot be passed on")
    return uri, local


def _begin(source: Element, bare: str) -> domish.Element:
    uri, local = _split(source.tag)
    target = domish.Element((uri or bare, local))
    for name, value in source.attrib.items():
        target.attributes[_split(name) if name.startswith("{") else name] = value
    return target


def to_domish(element: Element, content_namespace: str = ns.CLIENT) -> domish.Element:
    """A domish copy, in which what has a bare name is in `content_namespace`.

    A bare name below a foreign element is a forwarded stanza's, and is in `jabber:client` whatever the stream's own
    namespace (XEP-0297), as `serialise` has it. Raises StanzaError `not-acceptable` for a namespace that domish would
    write as broken XML.
    """
    top = _begin(element, content_namespace)
    pending = [(element, top)]
    while pending:
        source, target = pending.pop()
        bare = ns.CLIENT if source.tag.startswith("{") else target.uri
        if source.text:
            target.addContent(source.text)
        for item in source:
            twin = _begin(item, bare)
            target.addChild(twin)
            if item.tail:
                target.addContent(item.tail)
            pending.append((item, twin))
    return top


def _attribute_name(key: str | tuple[str | None, str]) -> str:
    if isinstance(key, tuple):
        uri, local = key
        return f"{{{uri}}}{local}" if uri else local
    if key.startswith("xml:"):
        return f"{{{ns.XML}}}{key[4:]}"
    return key


def _add_text(target: Element, text: str) -> None:
    if isinstance(text, domish.SerializedXML):
        raise ValueError("an element with serialised XML in it cannot be passed on: parse it first")
    if len(target):
        target[-1].tail = (target[-1].tail or "") + text
    else:
        target.text = (target.text or "") + text


def from_domish(element: domish.Element) -> Element:
    """An Element copy, in which the content namespaces (client, server, component) have become bare names.

    As on entry from a stream, they stay spelled out below a foreign element. Raises ValueError for raw XML
    (`addRawXml`) inside.
    """
    outside = Element("outside")
    # What is still to be copied: nodes, the Element they go into, the namespace they inherit, and whether all of
    # their ancestors are in a content namespace.
    pending: list[tuple[list[Any], Element, str, bool]] = [([element], outside, "", True)]
    while pending:
        nodes, target, inherited, in_content = pending.pop()
        for node in nodes:
            if isinstance(node, str):
                _add_text(target, node)
                continue
            default = inherited if node.defaultUri is None else node.defaultUri
            uri = default if node.uri is None else node.uri
            is_content = in_content and (not uri or uri in ns.CONTENT)
            tag = node.name if is_content or not uri else f"{{{uri}}}{node.name}"
            twin = Element(tag, {_attribute_name(key): value for key, value in node.attributes.items()})
            target.append(twin)
            pending.append((node.children, twin, default, is_content))
    return outside[0]


class Address(str):
    """An address for wokkel's classes, which ask theirs for no more than `full()`.

    Twisted's own JID would prepare it again, by the older stringprep, and refuse what RFC 7622 allows (an emoji as a
    nickname).
    """

    __slots__ = ()

    def full(self) -> str:
        """The whole address."""
        return str(self)
