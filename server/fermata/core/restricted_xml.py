"""Whole tags out of bytes that come in any pieces, and a refusal of the XML that XMPP forbids (RFC 6120 §11.1).

An XML parser that is fed an unfinished tag reads it again from its start at every further byte, or (Expat from 2.6 on)
holds it back until there is twice as much: the one is quadratic time for a peer who dribbles, the other a stanza that
never comes out. So the parser gets whole tags only, and each byte is looked at once, however it comes.
"""

import re
from typing import Final

from ..xmpp.errors import StreamError

_BLANK: Final = re.compile(rb"[ \t\r\n]*")
_CDATA: Final = b"<![CDATA["
_CDATA_END: Final = b"]]>"
# Outside a CDATA section these start what is forbidden, and no `<` is anything but the start of markup.
_find_no_tag: Final = re.compile(rb"<[!?]").search
_find_delimiter: Final = re.compile(rb"[>'\"]").search
_is_tag: Final = re.compile(rb"<[^<>'\"]*+(?:(?:'[^'<]*+'|\"[^\"<]*+\")[^<>'\"]*+)*+>").fullmatch
_SOLIDUS: Final = ord("/")
# What takes the default namespace away: anywhere, and on the first tag.
_find_undeclared: Final = re.compile(rb"xmlns\s*=\s*(?:''|\"\")").search
_undeclares_first: Final = re.compile(
    rb"\s*<[^\s<>/'\"]+(?:\s+[^\s<>=]+\s*=\s*(?:'[^'<]*'|\"[^\"<]*\"))*?\s+xmlns\s*=\s*(?:''|\"\")"
).match


def is_plain(data: bytes) -> bool:
    """Whether bytes that follow a whole tag are whole tags and text, up to a tag, each with its namespace."""
    if not (data.startswith(b"<") and data.endswith(b">")):
        return False
    last = data.rfind(b"<")
    return (
        (data[last + 1] == _SOLIDUS or _is_tag(data, last) is not None)
        and _find_no_tag(data) is None
        and _find_undeclared(data) is None
    )


def is_in_no_namespace(data: bytes) -> bool:
    """Whether the first tag takes the default namespace away, so that its bare name is not one of the content."""
    return _undeclares_first(data) is not None


class TagBuffer:
    """Bytes that wait until the tag that they end with is whole."""

    __slots__ = ("_bytes", "_one_by_one", "_seen", "_until")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._seen = 0  # so far the bytes have been looked at,
        self._until = b"<"  # and this is what comes next of interest
        self._one_by_one = 0  # so far tags are taken alone

    def __len__(self) -> int:
        return len(self._bytes)

    def add(self, data: bytes) -> None:
        """Puts bytes behind those that wait."""
        self._bytes += data

    def start(self, size: int) -> bytes:
        """The first `size` bytes that wait, after white space, which is dropped."""
        if blank := _BLANK.match(self._bytes):
            self._cut(blank.end())
        return bytes(self._bytes[:size])

    def take_declaration(self) -> bytes:
        """Takes an XML declaration, which the caller has seen to be next; empty as long as it is not whole."""
        return self._cut(self._bytes.find(b"?>") + 2) if b"?>" in self._bytes else b""

    def take(self, size: int) -> bytes:
        """Takes whole tags, each with the text before it: up to `size` bytes, but one at least if there is one.

        A tag is taken alone from where a default namespace is taken away nearby (see `is_in_no_namespace`).
        Raises StreamError `restricted-xml` if what comes next is a comment, a processing instruction or a DTD.
        """
        if self._one_by_one:
            return self._cut(self._tags(1))
        end = self._end_tag_before(size) or self._tags(size)
        if size > 1 and _find_undeclared(self._bytes, 0, end):
            self._one_by_one, self._seen, self._until = end, 0, b"<"
            end = self._tags(1)
        return self._cut(end)

    def _cut(self, end: int) -> bytes:
        taken = bytes(self._bytes[:end])
        del self._bytes[:end]
        self._seen = max(0, self._seen - end)
        self._one_by_one = max(0, self._one_by_one - end)
        return taken

    def _end_tag_before(self, size: int) -> int:
        """The quick way: where the last end tag within `size` bytes ends, if there is nothing difficult before it."""
        if self._seen or size == 1:
            return 0
        start = self._bytes.rfind(b"</", 0, max(0, self._bytes.rfind(b">", 0, size)))
        end = self._bytes.find(b">", start) + 1 if start >= 0 else 0
        return end if _find_no_tag(self._bytes, 0, end) is None else 0

    def _tags(self, size: int) -> int:
        """Where the last whole tag within `size` bytes ends, or the first one if it is longer; 0 if none is whole."""
        whole = 0
        while self._seen < size or not whole:
            if self._until == b"<":
                if not self._enter_markup(forbids=not whole):
                    break
            elif self._until == b">":
                found = _find_delimiter(self._bytes, self._seen)
                self._seen = found.end() if found else len(self._bytes)
                if found is None:
                    break
                self._until = found.group()
                if self._until == b">":
                    self._until = b"<"
                    if whole and self._seen > size:
                        self._seen = whole
                        break
                    whole = self._seen
            elif self._until != _CDATA_END and self._has_markup_before(self._until):
                if whole:
                    break
                raise StreamError("not-well-formed", "no tag has a < in it")
            elif not self._pass(self._until):
                break
            else:
                self._until = b"<" if self._until == _CDATA_END else b">"
        return whole

    def _has_markup_before(self, quote: bytes) -> bool:
        """Whether the attribute value that ends with that quote has a `<` in it: then it will not get any better."""
        end = self._bytes.find(quote, self._seen)
        return self._bytes.find(b"<", self._seen, end if end >= 0 else len(self._bytes)) >= 0

    def _pass(self, delimiter: bytes) -> bool:
        """Goes on behind the next delimiter; if it has not come yet, to where it may start."""
        at = self._bytes.find(delimiter, self._seen)
        if at < 0:
            self._seen = max(self._seen, len(self._bytes) - len(delimiter) + 1)
            return False
        self._seen = at + len(delimiter)
        return True

    def _enter_markup(self, forbids: bool) -> bool:
        """Goes on into the next tag or CDATA section, if enough has come to tell which it is."""
        at = self._bytes.find(b"<", self._seen)
        self._seen = at if at >= 0 else len(self._bytes)
        start = bytes(self._bytes[self._seen : self._seen + len(_CDATA)])
        if start == _CDATA:
            self._seen, self._until = at + len(_CDATA), _CDATA_END
        elif _CDATA.startswith(start):
            return False
        elif start[1:2] not in (b"!", b"?"):
            self._seen, self._until = at + 1, b">"
        elif forbids:
            raise StreamError("restricted-xml", "no comments, processing instructions or document types")
        else:
            return False
        return True
