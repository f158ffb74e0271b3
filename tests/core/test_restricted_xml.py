"""Whole tags out of bytes, however they come."""

import pytest

from fermata.core.restricted_xml import TagBuffer, is_in_no_namespace, is_plain
from fermata.xmpp.errors import StreamError


def takes(data: bytes, size: int) -> list[bytes]:
    """What a buffer gives, and what it keeps, when all of this has come."""
    buffer = TagBuffer()
    buffer.add(data)
    return [*drained(buffer, size), buffer.start(1000)]


def drained(buffer: TagBuffer, size: int) -> list[bytes]:
    return list(iter(lambda: buffer.take(size), b""))


@pytest.mark.parametrize(
    ("data", "pieces"),
    [
        (b"<a> b<c d='>'/>e</a>f", [b"<a>", b" b<c d='>'/>", b"e</a>", b"f"]),
        (b"<a b=\"'>\" c='\"/>'", [b"<a b=\"'>\" c='\"/>'"]),
        (b"x > y <b>c", [b"x > y <b>", b"c"]),
        (b"<![CDATA[<a>]]]]><b>", [b"<![CDATA[<a>]]]]><b>", b""]),
        (b"<![CDATA[<a>]]", [b"<![CDATA[<a>]]"]),
        (b"<![CDA", [b"<![CDA"]),
        (b"<", [b"<"]),
        (b"", [b""]),
    ],
)
def test_tags_come_out_whole(data: bytes, pieces: list[bytes]) -> None:
    assert takes(data, 1) == pieces
    buffer = TagBuffer()
    bytewise = []
    for at in range(len(data)):
        buffer.add(data[at : at + 1])
        if piece := buffer.take(1):
            bytewise.append(piece)
    assert [*bytewise, buffer.start(1000)] == [piece.lstrip() if piece is pieces[-1] else piece for piece in pieces]


def test_as_many_tags_as_fit_come_out_at_once() -> None:
    assert takes(b"<a/>" * 10, 12) == [b"<a/>" * 3] * 3 + [b"<a/>", b""]
    assert takes(b"<a>b</a>" * 10, 20) == [b"<a>b</a>" * 2] * 5 + [b""]
    assert takes(b"<a/><a bcdefgh=''/><a/>", 8) == [b"<a/>", b"<a bcdefgh=''/>", b"<a/>", b""]


def test_tags_near_a_lost_namespace_come_out_alone() -> None:
    assert takes(b"<a/><b xmlns=''/><c/>", 100) == [b"<a/>", b"<b xmlns=''/>", b"<c/>", b""]


@pytest.mark.parametrize("forbidden", [b"<!-- -->", b"<!-", b"<?a?>", b"<!DOCTYPE a>", b"<![IGNORE["])
def test_what_is_forbidden_is_refused_when_its_turn_comes(forbidden: bytes) -> None:
    for size in (1, 100):
        buffer = TagBuffer()
        buffer.add(b"<a></a>")
        buffer.add(b"<![CDATA[" + forbidden + b"]]>" + b"<b/>" + forbidden)
        with pytest.raises(StreamError, match="restricted-xml"):
            drained(buffer, size)
        assert buffer.start(1000) == forbidden


@pytest.mark.parametrize(
    ("data", "plain"),
    [
        (b"<a></a>", True),
        (b"<a/>", True),
        (b"<a>", True),
        (b"<a b='>'/>", True),
        (b"<a></a> <b/>", True),
        (b"<a></a", False),
        (b"<a></a> ", False),
        (b" <a></a>", False),
        (b"<a b='/>", False),
        (b"<a b='c>", False),
        (b"<a><!----></a>", False),
        (b"<a><![CDATA[]]></a>", False),
        (b"<a><b xmlns=''/></a>", False),
        (b"<", False),
        (b">", False),
        (b"", False),
    ],
)
def test_plain_bytes_may_be_parsed_at_once(data: bytes, plain: bool) -> None:
    assert is_plain(data) is plain


@pytest.mark.parametrize(
    ("data", "lost"),
    [
        (b"<a xmlns=''/>", True),
        (b' <a b = "c" xmlns\n=\t"" d=\'\'>', True),
        (b"<a xmlns='b'/>", False),
        (b"<a xmlns:b=''/>", False),
        (b"<a b=\" xmlns=''\"/>", False),
        (b"<a><b xmlns=''/>", False),
    ],
)
def test_a_tag_may_lose_the_default_namespace(data: bytes, lost: bool) -> None:
    assert is_in_no_namespace(data) is lost
