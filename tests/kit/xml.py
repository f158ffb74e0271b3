"""XML in tests: reading it, and comparing elements by what they say."""

from typing import Any
from xml.etree import ElementTree

from fermata.xmpp.element import Element


def read(xml: str) -> Element:
    """An element as the stream parser hands it out: what has no namespace of its own has a bare name."""
    return ElementTree.fromstring(xml)


def plain(element: Element) -> Any:
    """The whole element as nested tuples, to be compared; an absent text and an empty one are the same."""
    children = [(plain(item), item.tail or "") for item in element]
    return element.tag, dict(element.attrib), element.text or "", children
