"""The screen on which profanity is read shows what a terminal would."""

import pytest

from interop.screen import Screen


def shown(octets: bytes, lines: int = 4, columns: int = 10) -> list[str]:
    screen = Screen(lines, columns)
    screen.feed(octets)
    return screen.text().split("\n")


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"one\r\ntwo", ["one", "two", "", ""]),
        (b"\x1b[2;3Hhere", ["", "  here", "", ""]),
        (b"\x1b[31;1mred\x1b[m", ["red", "", "", ""]),
        (b"0123456789x", ["0123456789", "x", "", ""]),
        (b"0123456789\r\nx", ["0123456789", "x", "", ""]),
        (b"1\r\n2\r\n3\r\n4\r\n5", ["2", "3", "4", "5"]),
        (b"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3H\n5", ["1", "3", "5", "4"]),
        (b"1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[2H\x1bM5", ["1", "5", "2", "4"]),
        (b"1\r\n2\r\n3\r\n4\x1b[2H\x1b[L", ["1", "", "2", "3"]),
        (b"1\r\n2\r\n3\r\n4\x1b[2H\x1b[2M", ["1", "4", "", ""]),
        (b"one two\x1b[1;4H\x1b[K", ["one", "", "", ""]),
        (b"one two\x1b[1;3H\x1b[1K", ["    two", "", "", ""]),
        (b"1\r\n2\r\n3\x1b[2H\x1b[J", ["1", "", "", ""]),
        (b"1\r\n2\r\n3\x1b[H\x1b[2J", ["", "", "", ""]),
        (b"one two\x1b[1;1H\x1b[4P", ["two", "", "", ""]),
        (b"two\r\x1b[4hone \x1b[4l-", ["one -wo", "", "", ""]),
        (b"abc\x1b[2D-\x1b[C-\b=", ["a-c=", "", "", ""]),
        (b"a\tb\x1b7\x1b[3Hc\x1b8d", ["a       bd", "", "c", ""]),
        (b"\x1b[?47h\x1b)0\x0e\x1b=ok", ["ok", "", "", ""]),
        ("–→é".encode(), ["–→é", "", "", ""]),
    ],
)
def test_a_program_is_shown_as_on_a_terminal(written: bytes, lines: list[str]) -> None:
    assert shown(written) == lines


def test_it_makes_no_difference_how_the_output_is_cut() -> None:
    written = "\x1b[2;3Hgrün\x1b[1;31m\x1b[4h→\x1b(B".encode()
    whole, pieces = Screen(3, 12), Screen(3, 12)
    whole.feed(written)
    for octet in written:
        pieces.feed(bytes([octet]))
    assert pieces.text() == whole.text()
