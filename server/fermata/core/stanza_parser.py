"""The parser of what stands below the root of a stream: whole tags in, finished elements out."""

from typing import Final
from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser
from xml.parsers.expat import ExpatError, errors

from ..xmpp.element import Element
from ..xmpp.errors import StreamError

_CONDITIONS: Final = {
    errors.codes[errors.XML_ERROR_UNBOUND_PREFIX]: "bad-namespace-prefix",
    errors.codes[errors.XML_ERROR_UNDEFINED_ENTITY]: "restricted-xml",
}
_NO_ATTRIBUTES: Final[dict[str, str]] = {}


def xml_error(error: ExpatError | ParseError) -> StreamError:
    """The stream error that says what a parser said."""
    return StreamError(_CONDITIONS.get(error.code, "not-well-formed"), str(error))


class StanzaParser:
    """ElementTree's parser with a root of its own, so that it can be thrown away between any two stanzas.

    `is_between` says that it stands between two elements below the root, which it does not after the end of the root
    (`ended`) or an error (`failure`; what was finished before it has been returned). `path` is the elements below the
    root that are open, the outermost first. `parsed` counts bytes.

    Where the parser stands is asked with a *probe*, an element put in by hand: it lands in whatever is open. That costs
    less than an event for each element, and text that follows a finished element lands in the tail of the probe, never
    in that of an element which is somebody else's by then.
    """

    __slots__ = (
        "_builder",
        "_feed",
        "_outside",
        "_place",
        "_probe",
        "_root",
        "ended",
        "failure",
        "is_between",
        "parsed",
        "path",
    )

    def __init__(self, root: bytes) -> None:
        """Starts below `root`, a start tag. Raises StreamError if it is not well-formed."""
        self._builder = TreeBuilder()
        self._outside = self._builder.start("outside", {})
        self._feed = XMLParser(target=self._builder, encoding="utf-8").feed
        self.path: list[Element] = []
        self._place = 0
        self.ended = False
        self.failure: StreamError | None = None
        self.parsed = 0
        try:
            self._feed(root)
        except ParseError as error:
            raise xml_error(error) from None
        self._root = self._probe = self._outside[0]
        self.is_between = True

    def feed(self, data: bytes) -> list[Element]:
        """The elements below the root that these bytes finish. They must end with a tag."""
        self.parsed += len(data)
        try:
            self._feed(data)
        except ParseError as error:
            self.failure = xml_error(error)
        if self.path:
            self._take_probe_out()
        builder, root = self._builder, self._root
        self._probe = probe = builder.start("probe", _NO_ATTRIBUTES)
        builder.end("probe")
        finished = root[:]
        if finished and finished[-1] is probe:
            finished.pop()
            root.clear()
            self.is_between = self.failure is None
        elif self._outside[-1] is probe:
            self.ended, self.is_between = True, False
        else:
            finished.pop()
            del root[:-1]
            self._find_probe()
        return finished

    def _find_probe(self) -> None:
        self.is_between = False
        element = self._root[-1]
        while element is not self._probe:
            self.path.append(element)
            element = element[-1]
        self._place = len(self.path[-1]) - 1

    def _take_probe_out(self) -> None:
        """Gives the text that has come behind the probe to what stands before it."""
        parent, text = self.path[-1], self._probe.tail
        if self._place:
            parent[self._place - 1].tail = text
        else:
            parent.text = text
        del parent[self._place]
        self.path = []
