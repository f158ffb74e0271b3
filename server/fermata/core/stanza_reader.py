"""Slices of a stream into finished stanzas, within limits."""

import re
from dataclasses import dataclass
from typing import Final

from ..xmpp import namespaces as ns
from ..xmpp.element import Element, local_name
from ..xmpp.errors import StreamError
from ..xmpp.stanza import KINDS
from .restricted_xml import is_in_no_namespace
from .stanza_parser import StanzaParser
from .stream_header import StreamHeader

_LANG: Final = "{%s}lang" % ns.XML
_BLANK: Final = " \t\r\n"
_TAG: Final = re.compile(rb"<(?P<end>/)?(?:[^\s:/>]+:)?(?P<name>[^\s:/>]+)")
# A stanza that is refused is read to its end, up to so many times the limit of its size.
_PATIENCE: Final = 4
_TOO_LARGE: Final = "the stanza is too large"
_TOO_DEEP: Final = "too many elements inside one another"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may send, once it has authenticated but for `unauthenticated_bytes`.

    Bytes are counted for each stanza from the first slice that has nothing of the one before it.
    """

    stanza_bytes: int = 262_144
    unauthenticated_bytes: int = 10_000  # for a stanza or header before that: what RFC 6120 §13.12 grants everybody
    depth: int = 100  # elements inside one another
    attributes: int = 256  # of one element
    slice_bytes: int = 4096  # what is parsed before the tree is looked at
    parser_bytes: int = 1_048_576  # then a new parser takes over: each remembers every name that it has met


@dataclass(frozen=True, slots=True)
class RefusedStanza:
    """A stanza exceeded a limit: `stanza` has its name and attributes alone, `text` says which limit, for people.

    Answer it with the stanza error `policy-violation` if it is answerable, and count it as handled. A server only
    passes on what one of its users wrote: if that ended the stream, he could cut off his whole domain, and stream
    management would send the stanza again on every new stream.
    """

    stanza: Element
    text: str


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The peer has closed its stream; whatever it sends after that is ignored."""


StreamEvent = StreamHeader | Element | RefusedStanza | StreamEnd


class StanzaReader:
    """What stands below the header of one stream.

    `is_between` says that nothing is unfinished, ended or wrong; `has_ended` that the peer has closed the stream;
    `failure` is what was wrong behind the events that have been returned.
    """

    __slots__ = (
        "_content",
        "_harmless_bytes",
        "_lang",
        "_limits",
        "_open",
        "_parser",
        "_refused",
        "_root",
        "_unfinished_bytes",
        "failure",
        "has_ended",
        "is_authenticated",
        "is_between",
    )

    def __init__(self, header: StreamHeader, root: bytes, limits: Limits, is_authenticated: bool) -> None:
        """`root` is the start tag of the stream as HeaderReader returns it. Raises StreamError."""
        self._content = "{" + header.content_namespace + "}"
        self._lang = header.lang
        self._root = root
        self._limits = limits
        self._harmless_bytes = 5 * min(limits.depth, limits.attributes)
        self.is_authenticated = is_authenticated
        self._parser: StanzaParser | None = StanzaParser(root)
        self._unfinished_bytes = 0
        self._refused: RefusedStanza | None = None
        self._open: list[str] = []  # the elements of the refused stanza that are open, by local name
        self.is_between = True
        self.has_ended = False
        self.failure: StreamError | None = None

    @property
    def slice_bytes(self) -> int:
        """How much it wants at once; 1 is one tag."""
        slice_bytes = self._limits.slice_bytes
        # Before authentication a restart may come after any element; near the limit single tags make it exact.
        if not self.is_authenticated or self._refused or self._unfinished_bytes + slice_bytes > self._max_bytes:
            return 1
        return slice_bytes

    @property
    def _max_bytes(self) -> int:
        return self._limits.stanza_bytes if self.is_authenticated else self._limits.unauthenticated_bytes

    def rest(self) -> None:
        """Gives the parser's memory back if nothing is unfinished; the next stanza gets a new one."""
        if self.is_between:
            self._parser = None

    def expect(self, size: int) -> None:
        """Gets ready for `size` more bytes of what is unfinished. Raises StreamError if that is too much to bear."""
        total = self._unfinished_bytes + size
        if total > self._max_bytes * _PATIENCE:
            raise StreamError("policy-violation", _TOO_LARGE)
        if total > self._max_bytes and not self._refused:
            self._refuse(_TOO_LARGE)

    def read(self, data: bytes) -> list[StreamEvent]:
        """The events in whole tags, at most `slice_bytes` of them or one. Raises StreamError."""
        self.expect(len(data))
        if self._refused is not None:
            return self._skip(data, self._refused)
        if self.is_between and is_in_no_namespace(data):
            raise StreamError("unsupported-stanza-type", "an element of no namespace is no stanza")
        return self.read_plain(data)

    def read_plain(self, data: bytes) -> list[StreamEvent]:
        """The events in bytes that are plain (see `is_plain`) and within `slice_bytes`."""
        parser = self._parser
        if parser is None:
            parser = self._parser = StanzaParser(self._root)
        # A bigger or a split one may have a form that is refused; fewer bytes have no room for it.
        is_doubtful = not self.is_between or (len(data) > self._harmless_bytes and self._may_exceed(data))
        events: list[StreamEvent] = []
        try:
            for element in parser.feed(data):
                events.append(self._finish(element, is_doubtful))
                if element.tail is not None:
                    _drop_tail(element)
            if not parser.is_between:
                self._stop(parser, data, events)
                return events
        except StreamError as error:
            self.failure = error
            self.is_between = False
            return events
        if not self.is_between:
            self.is_between, self._unfinished_bytes = True, 0
        if parser.parsed > self._limits.parser_bytes:
            self._parser = None
        return events

    def _may_exceed(self, data: bytes) -> bool:
        return data.count(b"</") >= self._limits.depth or data.count(b"=") > self._limits.attributes

    def _finish(self, element: Element, is_doubtful: bool) -> Element | RefusedStanza:
        content = self._content
        if element.tag.startswith(content):
            element.tag = element.tag.removeprefix(content)
        if is_doubtful and (text := _excess(element, self._limits)):
            return self._refusal(element, text)
        if element.tag in KINDS:
            for child in element:
                if child.tag.startswith(content):
                    _make_bare(element, content)
                    break
            if self._lang and element.get(_LANG) is None:
                element.set(_LANG, self._lang)
        return element

    def _stop(self, parser: StanzaParser, data: bytes, events: list[StreamEvent]) -> None:
        """Takes note of what is unfinished, ended or wrong."""
        self.is_between = False
        if parser.ended:
            self.has_ended = True
            events.append(StreamEnd())
        elif parser.failure is not None:
            raise parser.failure
        else:
            self._unfinished_bytes = 0 if events else self._unfinished_bytes + len(data)
            if len(parser.path) > self._limits.depth:
                self._refuse(_TOO_DEEP)

    def _refuse(self, text: str) -> None:
        """Begins to skip the unfinished stanza. Raises StreamError if there is none that could be answered."""
        path = self._parser.path if self._parser is not None else []
        if not path:
            raise StreamError("policy-violation", text)
        self._refused, self._parser = self._refusal(path[0], text), None
        self._open = [local_name(element) for element in path]

    def _refusal(self, element: Element, text: str) -> RefusedStanza:
        tag = element.tag.removeprefix(self._content)
        if not self.is_authenticated or tag not in KINDS:
            raise StreamError("policy-violation", text)
        return RefusedStanza(Element(tag, dict(element.attrib)), text)

    def _skip(self, data: bytes, refused: RefusedStanza) -> list[StreamEvent]:
        """Passes one tag of the refused stanza, and the text before it. Raises StreamError for one that cannot be."""
        self._unfinished_bytes += len(data)
        tag = _TAG.match(data, data.rfind(b"<"))
        if tag is None:
            raise StreamError("not-well-formed")
        name = tag["name"].decode(errors="replace")
        if tag["end"]:
            if self._open.pop() != name:
                raise StreamError("not-well-formed", "an end tag of another element")
        elif not data.endswith(b"/>"):
            self._open.append(name)
        if self._open:
            return []
        self._refused, self._unfinished_bytes, self.is_between = None, 0, True
        return [refused]


def _drop_tail(element: Element) -> None:
    """White space may stand between stanzas, and nothing else. Raises StreamError."""
    if element.tail and element.tail.strip(_BLANK):
        raise StreamError("bad-format", "text between stanzas")
    element.tail = None


def _make_bare(element: Element, content: str) -> None:
    """Takes the explicit content namespace away from what is in the element, but not from inside foreign elements."""
    for child in element:
        if child.tag.startswith(content):
            child.tag = child.tag.removeprefix(content)
        if not child.tag.startswith("{"):
            _make_bare(child, content)


def _excess(element: Element, limits: Limits) -> str:
    """Which limit the form of a finished element exceeds; empty if none."""
    depth, level = 0, [element]
    while level:
        depth += 1
        if depth > limits.depth:
            return _TOO_DEEP
        if any(len(item.keys()) > limits.attributes for item in level):
            return "an element has too many attributes"
        level = [child for item in level for child in item]
    return ""
