"""What a terminal shows (`xterm-color`, the plainest that has colours), read from what a program writes to it."""

import codecs
import re

# A control sequence, another escape, or one character; what is incomplete at the end fits none of them.
_TOKEN = re.compile(r"\x1b\[([\d;?]*)([@-~])|\x1b([()].|[^\[()])|([^\x1b])", re.DOTALL)


class Screen:
    """Lines of characters and a cursor. Colours, line drawing and keyboard modes are read, and change nothing."""

    def __init__(self, lines: int, columns: int) -> None:
        self.lines, self.columns = lines, columns
        self._rows = [self._blank() for _ in range(lines)]
        self._row = self._column = 0
        self._top, self._bottom = 0, lines - 1
        self._saved = (0, 0)
        self._inserts = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unread = ""

    def text(self) -> str:
        """The lines, without the spaces at their ends."""
        return "\n".join("".join(row).rstrip() for row in self._rows)

    def feed(self, octets: bytes) -> None:
        """The program has written this."""
        text = self._unread + self._decoder.decode(octets)
        position = 0
        while found := _TOKEN.match(text, position):
            position = found.end()
            arguments, final, escape, character = found.groups()
            if character is not None:
                self._character(character)
            elif escape is not None:
                self._escape(escape)
            elif final in _CONTROLS and not arguments.startswith("?"):
                _CONTROLS[final](self, *(int(each or 0) for each in arguments.split(";")))
        self._unread = text[position:]

    def _blank(self) -> list[str]:
        return [" "] * self.columns

    def _character(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
        elif character == "\b":
            self._column = max(0, self._column - 1)
        elif character == "\t":
            self._column = min(self.columns - 1, self._column // 8 * 8 + 8)
        elif character >= " ":
            self._write(character)

    def _write(self, character: str) -> None:
        if self._column == self.columns:  # the last column was written: only now does the cursor wrap
            self._column = 0
            self._down()
        row = self._rows[self._row]
        if self._inserts:
            row.insert(self._column, character)
            row.pop()
        else:
            row[self._column] = character
        self._column += 1

    def _escape(self, escape: str) -> None:
        if escape == "M":
            self._up()
        elif escape == "7":
            self._saved = self._row, self._column
        elif escape == "8":
            self._row, self._column = self._saved

    def _down(self) -> None:
        if self._row == self._bottom:
            self._move_line(self._top, self._bottom)
        else:
            self._row = min(self._row + 1, self.lines - 1)

    def _up(self) -> None:
        if self._row == self._top:
            self._move_line(self._bottom, self._top)
        else:
            self._row = max(self._row - 1, 0)

    def _move_line(self, gone: int, new: int) -> None:
        del self._rows[gone]
        self._rows.insert(new, self._blank())

    # -- control sequences, with their arguments; 0 stands for one that was left out

    def _go_to(self, row: int, column: int = 0) -> None:
        self._row = min(max(1, row), self.lines) - 1
        self._column = min(max(1, column), self.columns) - 1

    def _go_up(self, count: int) -> None:
        self._row = max(0, self._row - max(1, count))

    def _go_down(self, count: int) -> None:
        self._row = min(self.lines - 1, self._row + max(1, count))

    def _go_right(self, count: int) -> None:
        self._column = min(self.columns - 1, self._column + max(1, count))

    def _go_left(self, count: int) -> None:
        self._column = max(0, self._column - max(1, count))

    def _set_region(self, top: int, bottom: int = 0) -> None:
        self._top, self._bottom = max(1, top) - 1, (bottom or self.lines) - 1
        self._row = self._column = 0

    def _erase_in_line(self, part: int) -> None:
        """0: from the cursor on, 1: up to the cursor, 2: all of it."""
        start = self._column if part == 0 else 0
        end = min(self._column + 1, self.columns) if part == 1 else self.columns
        self._rows[self._row][start:end] = [" "] * (end - start)

    def _erase_in_screen(self, part: int) -> None:
        """Likewise, the lines below or above included."""
        self._erase_in_line(part)
        for row in range(self.lines):
            if part == 2 or (part == 0 and row > self._row) or (part == 1 and row < self._row):
                self._rows[row] = self._blank()

    def _delete_characters(self, count: int) -> None:
        row = self._rows[self._row]
        del row[self._column : self._column + max(1, count)]
        row.extend([" "] * (self.columns - len(row)))

    def _insert_lines(self, count: int) -> None:
        for _ in range(max(1, count)):
            self._move_line(self._bottom, self._row)

    def _delete_lines(self, count: int) -> None:
        for _ in range(max(1, count)):
            self._move_line(self._row, self._bottom)

    def _set_mode(self, mode: int) -> None:
        self._inserts = self._inserts or mode == 4

    def _reset_mode(self, mode: int) -> None:
        self._inserts = self._inserts and mode != 4


_CONTROLS = {
    "A": Screen._go_up,
    "B": Screen._go_down,
    "C": Screen._go_right,
    "D": Screen._go_left,
    "H": Screen._go_to,
    "J": Screen._erase_in_screen,
    "K": Screen._erase_in_line,
    "L": Screen._insert_lines,
    "M": Screen._delete_lines,
    "P": Screen._delete_characters,
    "h": Screen._set_mode,
    "l": Screen._reset_mode,
    "r": Screen._set_region,
}
