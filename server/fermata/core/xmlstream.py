"""A peer's half of an XML stream: bytes in; its header, stanzas and end out (RFC 6120 §4, §11)."""

from collections.abc import Iterable, Iterator
from itertools import chain

from ..xmpp.errors import StreamError
from .restricted_xml import TagBuffer, is_plain
from .stanza_reader import Limits, RefusedStanza, StanzaReader, StreamEnd, StreamEvent
from .stream_header import HeaderReader, StreamHeader

__all__ = ["Limits", "RefusedStanza", "StreamEnd", "StreamEvent", "StreamHeader", "XMLStream"]


class XMLStream:
    """What a peer sends over one connection: a stream, and another one after each restart.

    A finished stanza, or whatever else stands at the top, is an event by itself: an Element with bare names for what is
    in the content namespace, and without a tail. A stanza that has no `xml:lang` has got the stream's.
    """

    __slots__ = (
        "_buffer",
        "_content_namespace",
        "_failure",
        "_header_reader",
        "_is_authenticated",
        "_limits",
        "_plain_bytes",
        "_reader",
    )

    def __init__(self, content_namespace: str, limits: Limits) -> None:
        """Expects a header whose default namespace is `content_namespace`, `jabber:client` for example."""
        self._content_namespace = content_namespace
        self._limits = limits
        self._buffer = TagBuffer()
        self._is_authenticated = False
        self._failure: StreamError | None = None
        self.restart()

    def restart(self) -> None:
        """Expects a new header, after STARTTLS or SASL. Bytes that wait are read as part of the new stream."""
        self._header_reader = HeaderReader(self._content_namespace, self._limits.unauthenticated_bytes)
        self._reader: StanzaReader | None = None
        self._plain_bytes = 0  # so many may go straight to the reader, if they are plain

    def authenticated(self) -> None:
        """The peer is known now: it may send larger stanzas, and many are read at once."""
        self._is_authenticated = True
        if self._reader is not None:
            self._reader.is_authenticated = True

    def rest(self) -> None:
        """Gives the memory of the parser back while the stream is idle; it is made anew for the next stanza."""
        if self._reader is not None:
            self._reader.rest()

    @property
    def unread(self) -> bool:
        """Whether bytes other than white space wait behind the event that was taken last."""
        return self._buffer.start(1) != b""

    def receive(self, data: bytes) -> Iterable[StreamEvent]:
        """The events that these bytes complete. Take them all, one by one, before more bytes are received.

        Until the peer has authenticated nothing is read beyond the event that was taken last: `restart` may come
        between two of them, and what is not taken is there at the next call. Raises StreamError once the events before
        the error have been taken, and the same again at every further call.
        """
        reader = self._reader
        if reader is not None and len(data) <= self._plain_bytes and is_plain(data):
            events = reader.read_plain(data)
            if reader.is_between:
                return events
            self._plain_bytes = 0
            return chain(events, self._events())
        if self._failure is not None:
            raise self._failure
        self._plain_bytes = 0
        if reader is None or not reader.has_ended:
            self._buffer.add(data)
        return self._events()

    def _events(self) -> Iterator[StreamEvent]:
        while self._failure is None:
            try:
                events = self._read_header() if self._reader is None else self._read_stanzas(self._reader)
            except StreamError as error:
                self._failure = error
                break
            if events is None:
                return
            yield from events
        raise self._failure

    def _read_header(self) -> list[StreamEvent] | None:
        """None if more bytes must come."""
        found = self._header_reader.read(self._buffer)
        if found is None:
            return None
        header, root = found
        self._reader = StanzaReader(header, root, self._limits, self._is_authenticated)
        return [header]

    def _read_stanzas(self, reader: StanzaReader) -> list[StreamEvent] | None:
        """None if more bytes must come."""
        if reader.failure is not None:
            raise reader.failure
        if reader.has_ended:
            return None
        if reader.is_between and self._buffer.start(1) not in (b"<", b""):
            raise StreamError("bad-format", "text between stanzas")
        if data := self._buffer.take(reader.slice_bytes):
            return reader.read(data)
        reader.expect(len(self._buffer))
        if reader.is_between and self._is_authenticated and not self._buffer:
            self._plain_bytes = self._limits.slice_bytes
        return None
