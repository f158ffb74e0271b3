"""On which line of a TOML file each table and key stands: `tomllib` does not say.

The text is known to be valid TOML 1.0 (`tomllib` has read it), so nothing is checked here.
"""

import re
import tomllib
from typing import Final, NamedTuple

Path = tuple[str, ...]

# One alternative for each kind of token; a string is one token, so that nothing inside it can mislead.
_TOKEN: Final = re.compile(
    r"""
      (?P<blank>[ \t\r]+|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<string>
          \"{3}(?:\\.|[^\\])*?\"{3}\"{0,2}
        | '{3}.*?'{3}'{0,2}
        | "(?:\\.|[^"\\])*"
        | '[^']*'
      )
    | (?P<mark>[\[\]{}=.,])
    | (?P<bare>[^\s\[\]{}=.,\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


_END: Final = _Token("end", "", 0)


def find_lines(text: str) -> dict[Path, int]:
    """The path of every table and key, as names from the root, → its first line, counted from 1.

    What stands inside an inline table has its path too; elements of arrays have none.
    """
    walk = _Walk(text)
    walk.document()
    return walk.lines


def _tokens(text: str) -> list[_Token]:
    tokens, line = [], 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "blank":
            tokens.append(_Token(kind, match[0], line))
        line += match[0].count("\n")
    return tokens


def _name(token: _Token) -> str:
    """The key that a bare or quoted token spells."""
    if token.kind == "bare":
        return token.text
    return str(tomllib.loads(f"key = {token.text}")["key"])


class _Walk:
    """One pass over the tokens, noting paths on the way."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._tokens = _tokens(text)
        self._next = 0

    def document(self) -> None:
        """Statement after statement: a header opens a table, anything else is a pair in the open one."""
        table: Path = ()
        while (token := self._peek()) is not _END:
            if token.kind == "newline":
                self._take()
            elif token.text == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        while self._peek().text == "[":
            self._take()
        path = self._key(())
        while self._peek().text == "]":
            self._take()
        return path

    def _pair(self, table: Path) -> None:
        path = self._key(table)
        self._take()  # the "="
        self._value(path)

    def _key(self, table: Path) -> Path:
        """A dotted key: each of its prefixes is a table that may have been named for the first time here."""
        path = table
        while True:
            token = self._take()
            path = (*path, _name(token))
            self.lines.setdefault(path, token.line)
            if self._peek().text != ".":
                return path
            self._take()

    def _value(self, path: Path) -> None:
        match self._peek().text:
            case "[":
                self._take()
                self._skip_array()
            case "{":
                self._take()
                self._inline_table(path)
            case _:
                while self._peek().kind != "newline" and self._peek().text not in (",", "}", "]", ""):
                    self._take()  # a number, date or boolean may be several tokens

    def _inline_table(self, path: Path) -> None:
        while self._peek().text != "}":
            if self._peek().text == "," or self._peek().kind == "newline":
                self._take()
            else:
                self._pair(path)
        self._take()

    def _skip_array(self) -> None:
        depth = 1
        while depth:
            text = self._take().text
            depth += (text in ("[", "{")) - (text in ("]", "}"))

    def _peek(self) -> _Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else _END

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next += 1
        return token
