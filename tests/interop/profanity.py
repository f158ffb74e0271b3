"""Profanity at a terminal of our own: it is typed to as a person would, and what it shows is read."""

import asyncio
import os
import re
import subprocess
import termios
from pathlib import Path

from .peers import Peer
from .screen import Screen
from .waiting import DEADLINE, Watched

_LINES, _COLUMNS = 70, 120
# It looks for input, and for a lost server, more often than a person would want, so that tests are quick.
_SETTINGS = """\
[ui]
splash=false
inpblock=20
inpblock.dynamic=false

[connection]
reconnect=1
"""


class Profanity:
    """One running program, started for the first time by a new user, whose system trusts `certificate`."""

    def __init__(self, peer: Peer, home: Path, certificate: Path) -> None:
        self.screen = Screen(_LINES, _COLUMNS)
        self._watched = Watched(self.screen.text)
        settings = home / ".config" / "profanity" / "profrc"
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS)
        self._terminal, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (_LINES, _COLUMNS))
        environment = {
            **peer.environment(home),
            "SSL_CERT_FILE": str(certificate),
            "TERM": "xterm-color",
        }
        self._process = subprocess.Popen(
            peer.command("profanity"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            cwd=home,
            start_new_session=True,
        )
        os.close(theirs)
        self._is_open = True
        asyncio.get_running_loop().add_reader(self._terminal, self._read)

    def _read(self) -> None:
        try:
            octets = os.read(self._terminal, 65536)
        except OSError:  # EIO: the program has closed its side
            octets = b""
        if octets:
            self.screen.feed(octets)
        else:
            self._close()
        self._watched.changed()

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            asyncio.get_running_loop().remove_reader(self._terminal)
            os.close(self._terminal)

    def type(self, line: str) -> None:
        """Types a line, and Enter."""
        os.write(self._terminal, line.encode() + b"\r")

    async def shows(self, words: str) -> str:
        """Waits until there is a line with these words, and returns that line."""

        def look() -> str | None:
            return next((line for line in self.screen.text().splitlines() if words in line), None)

        return await self._watched.until(look, f"line with “{words}” on the screen")

    async def matches(self, pattern: str) -> "re.Match[str]":
        """Waits until the screen matches a regular expression (`^` and `$` are those of lines)."""
        compiled = re.compile(pattern, re.MULTILINE)
        return await self._watched.until(lambda: compiled.search(self.screen.text()), f"match of {pattern}")

    async def field(self, label: str) -> str:
        """What the field of a form with that label is called here."""
        return (await self.matches(rf"\[(field\d+)\] {label}:"))[1]

    async def log_in(self, jid: str, password: str, port: int, tls: str = "force", host: str = "127.0.0.1") -> None:
        """Connects to a server on this machine."""
        await self.shows("Profanity. Type /help for help information.")
        self.type(f"/connect {jid} server {host} port {port} tls {tls}")
        await self.shows("Enter password:")
        self.type(password)
        await self.matches(rf"{re.escape(jid)}/\S+ logged in successfully")

    async def quit(self) -> int:
        """Ends the program by its own command, and returns its exit status."""
        self.type("/quit")
        await self._watched.until(lambda: None if self._is_open else True, "end of the program")
        return await asyncio.to_thread(self._process.wait, DEADLINE)

    async def stop(self) -> None:
        """Ends the program if it is still there."""
        if self._process.poll() is None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, DEADLINE)
        self._close()
