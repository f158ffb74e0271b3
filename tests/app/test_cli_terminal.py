"""The `fermata` command with a person in front of it: a real pseudo-terminal."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from fermata.app.cli import main
from fermata.app.config import Config
from fermata.app.stored_server import stored_server
from fermata.xmpp.jid import JID

JULIET = JID.parse("juliet@localhost")
pytestmark = pytest.mark.usefixtures("here")


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        program = "import sys; from fermata.app.cli import main; sys.exit(main())"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        )
        os.close(theirs)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Reads until the text is there; at the end of the output if it is empty."""
        while not text or text not in self.seen:
            assert select.select([self._ours], [], [], 30)[0], f"no more than {self.seen!r}"
            try:
                self.seen += os.read(self._ours, 4096).decode()
            except OSError:  # how Linux says that the other end is closed
                assert not text, f"no more than {self.seen!r}"
                return

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        self.wait_for("")
        os.close(self._ours)
        return self._process.wait()


def test_a_person_types_the_password_twice_unseen():
    terminal = Terminal("user", "add", "juliet@localhost")
    terminal.wait_for("Password for juliet@localhost: ")
    terminal.type("s3cret\n")
    terminal.wait_for("The same again: ")
    terminal.type("s3cret\n")
    assert terminal.end() == 0
    assert "juliet@localhost is ready to log in" in terminal.seen
    assert "s3cret" not in terminal.seen
    with stored_server(Config()) as server:
        assert server.call("user-exists", jid=JULIET)


def test_a_typing_error_in_a_password_makes_no_account():
    terminal = Terminal("user", "add", "juliet@localhost")
    terminal.wait_for("Password for")
    terminal.type("one\n")
    terminal.wait_for("again")
    terminal.type("other\n")
    assert terminal.end() == 1
    assert "fermata: the two passwords are not the same" in terminal.seen
    with stored_server(Config()) as server:
        assert not server.call("user-exists", jid=JULIET)


def test_a_terminal_sees_a_table_and_a_bar():
    Path("users.csv").write_text("".join(f"user{number}@localhost,x\n" for number in range(3)))
    importing = Terminal("user", "import", "users.csv")
    assert importing.end() == 0
    assert "Making accounts" in importing.seen
    assert "3 accounts made" in importing.seen
    listing = Terminal("user", "list")
    assert listing.end() == 0
    assert "Account" in listing.seen
    assert "user2@localhost" in listing.seen
    saving = Terminal("backup", "saved.db")
    assert saving.end() == 0
    assert "Copying the database" in saving.seen


def test_a_terminal_that_is_too_narrow_hides_nothing():
    name = "x" * 200
    Path("users.csv").write_text(f"{name}@localhost,x\n")
    assert main(["user", "import", "users.csv"]) == 0
    listing = Terminal("user", "list")
    assert listing.end() == 0
    assert f"{name}@localhost" in listing.seen.replace("\r\n", "").replace(" ", "")
