"""xmpp.js, the client library of npm, as a test sees it: a process that takes commands and tells what it gets.

What it needs comes from npm once, by the versions and hashes of `xmpp_js/package-lock.json`, and stays in
`.cache/javascript`; after that no network is needed.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from kit import ns
from kit.stanzas import mismatch

from .peers import CACHE, PeerError
from .waiting import DEADLINE, Inbox

_CACHE = CACHE.with_name("javascript")
_SOURCE = Path(__file__).with_name("xmpp_js")
_NAMES = ("package.json", "package-lock.json", "child.js")


def installed(cache: Path = _CACHE) -> Path:
    """The program, with what it needs beside it. Raises PeerError if that can't be had."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise PeerError("a client in JavaScript needs node and npm")
    content = b"".join((_SOURCE / name).read_bytes() for name in _NAMES)
    directory = cache / hashlib.sha256(content).hexdigest()[:16]
    if not directory.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            made = Path(temporary, "made")
            made.mkdir()
            for name in _NAMES:
                shutil.copy(_SOURCE / name, made)
            _install(made)
            made.rename(directory)  # the last step, so that what is there is whole
    return directory / "child.js"


def _install(directory: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"npm says: {done.stderr.strip()}")


class JavaScriptClient:
    """One process with one account. It trusts what `certificate` vouches for, beside what node trusts anyway."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._reading = asyncio.create_task(self._read())
        self._errors = asyncio.create_task(self._read_errors())
        self.inbox = Inbox()  #: messages and presences
        self.got: list[Element] = []  #: all of them, in their order

    @classmethod
    async def log_in(cls, jid: str, password: str, address: tuple[str, int], certificate: Path) -> "JavaScriptClient":
        """Starts the process, and returns when it is logged in and available. Raises PeerError."""
        child = await asyncio.to_thread(installed)
        host, port = address
        process = await asyncio.create_subprocess_exec(
            *("node", str(child), jid, password, f"xmpp://{host}:{port}"),
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        client = cls(process)
        await client.inbox.take(lambda each: isinstance(each, str), "word that it is online")
        return client

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told: dict[str, Any] = json.loads(line)
            if told["event"] == "online":
                self.inbox.put(told["jid"])
            else:
                self.got.append(_stanza(told["xml"]))
                self.inbox.put(self.got[-1])

    async def _read_errors(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode()

    def do(self, command: str, *words: str) -> None:
        """One of its commands: enter, leave, say."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *words]).encode() + b"\n")

    async def gets(self, kind: str, *checks: Any, **attributes: str | None) -> Element:
        """Takes the next stanza like that (see `kit.stanzas.mismatch`), and waits for it."""

        def fits(each: Any) -> bool:
            return not isinstance(each, str) and not mismatch(each, kind, checks, attributes)

        found = await self.inbox.take(fits, f"{kind} with {attributes}")
        assert isinstance(found, Element)
        return found

    async def leave(self) -> None:
        """Logs out, and ends the process. Raises AssertionError if it has told of an error."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), DEADLINE)
        await self._reading
        errors = await self._errors
        assert not errors, errors


def _stanza(xml: str) -> Element:
    element = fromstring(xml)
    for each in element.iter():
        each.tag = each.tag.removeprefix(f"{{{ns.CLIENT}}}")
    return element
