"""Stanzas that were written down, as elements again."""

from ..xmpp.element import Element
from .stanza_parser import StanzaParser


def stanza_from(xml: str) -> Element:
    """The stanza that `xmpp.element.serialise` has written. Raises StreamError if the text is not one."""
    parser = StanzaParser(b"<stored>")
    elements = parser.feed(xml.encode())
    if parser.failure is not None:
        raise parser.failure
    return elements[0]
