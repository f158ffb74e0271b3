"""The start tag of a stream and what it says (RFC 6120 §4.7, §4.8, §11)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate

from ..xmpp import namespaces as ns
from ..xmpp.element import escape
from ..xmpp.errors import StreamError
from .restricted_xml import TagBuffer
from .stanza_parser import xml_error

_is_declaration: Final = re.compile(rb"<\?xml[ \t\r\n]").match
_OTHER_ENCODINGS: Final = (b"\xfe\xff", b"\xff\xfe", b"\x00<", b"<\x00")
_ENCODING: Final = "a stream is in UTF-8"
_PREFIX: Final = "xmlns:"
# Of 1.0 and whatever a later peer speaks, 1.0 is the lower one (RFC 6120 §4.7.5).
_VERSION: Final = re.compile("0*[1-9][0-9]*\\.[0-9]+")


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """A peer has opened a stream. What its header leaves out is empty here.

    `namespaces` has every prefix that the header declares.
    """

    to: str
    from_: str
    version: str
    lang: str
    id: str
    content_namespace: str
    namespaces: Mapping[str, str]

    @property
    def is_versioned(self) -> bool:
        """Whether the peer speaks XMPP 1.0 or later, and so knows stream features."""
        return _VERSION.fullmatch(self.version) is not None


class HeaderReader:
    """Waits for the header, and for the XML declaration that may precede it."""

    __slots__ = ("_content_namespace", "_declaration", "_max_bytes")

    def __init__(self, content_namespace: str, max_bytes: int) -> None:
        self._content_namespace, self._max_bytes = content_namespace, max_bytes
        self._declaration = b""

    def read(self, buffer: TagBuffer) -> tuple[StreamHeader, bytes] | None:
        """The header, and the start tag of a root for the stanzas; None if more bytes must come.

        The root has the header's name, so that `</stream:stream>` ends it, and its prefixes, but no default namespace,
        so that whatever is in the content namespace gets a bare name. Raises StreamError.
        """
        if self._waits_for_declaration(buffer):
            tag = b""
        else:
            tag = buffer.take(1)
        if len(tag or buffer) > self._max_bytes:
            raise StreamError("policy-violation", "the stream header is too long")
        return _read(self._declaration, tag, self._content_namespace) if tag else None

    def _waits_for_declaration(self, buffer: TagBuffer) -> bool:
        """Whether more must come until one can tell that there is none, or until it is whole; then takes it."""
        start = buffer.start(6)
        if start.startswith(_OTHER_ENCODINGS):
            raise StreamError("unsupported-encoding", _ENCODING)
        if len(start) < 2:
            return True
        # A byte order mark is none (RFC 6120 §11.6), but a character before the root, as wrong there as any other.
        if not start.startswith(b"<"):
            raise StreamError("bad-format", "a stream starts with its header")
        if self._declaration or not start.startswith(b"<?"):
            return False
        if _is_declaration(start):
            self._declaration = buffer.take_declaration()
            return not self._declaration or self._waits_for_declaration(buffer)
        return len(start) < 6


def _read(declaration: bytes, tag: bytes, content_namespace: str) -> tuple[StreamHeader, bytes]:
    name, attributes = _start_tag(declaration, tag)
    prefix, _, local = name.rpartition(":")
    namespaces = {key[len(_PREFIX) :]: value for key, value in attributes.items() if key.startswith(_PREFIX)}
    if local != "stream" or tag.endswith(b"/>"):
        raise StreamError("bad-format", "a stream starts with <stream:stream>")
    if prefix and prefix not in namespaces:
        raise StreamError("bad-namespace-prefix", f"{prefix} is not declared")
    # A header without a prefix, whose stanzas would each declare the content namespace, has the wrong default one.
    if namespaces.get(prefix) != ns.STREAMS or attributes.get("xmlns") != content_namespace:
        raise StreamError("invalid-namespace", f"a stream is in {ns.STREAMS}, its content in {content_namespace}")
    header = StreamHeader(
        attributes.get("to", ""),
        attributes.get("from", ""),
        attributes.get("version", ""),
        attributes.get("xml:lang", ""),
        attributes.get("id", ""),
        content_namespace,
        namespaces,
    )
    declared = "".join(f" xmlns:{key}='{escape(uri)}'" for key, uri in namespaces.items())
    return header, f"<{name}{declared}>".encode()


def _start_tag(declaration: bytes, tag: bytes) -> tuple[str, dict[str, str]]:
    """Its qualified name and its attributes."""
    found: list[tuple[str, dict[str, str]]] = []

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper() != "UTF-8":
            raise StreamError("unsupported-encoding", _ENCODING)

    parser = ParserCreate("UTF-8")
    parser.XmlDeclHandler = declared
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    try:
        parser.Parse(declaration + tag)
    except ExpatError as error:
        raise xml_error(error) from None
    if not found:
        raise StreamError("not-well-formed", "the header is no start tag")
    return found[0]
