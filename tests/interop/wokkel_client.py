"""wokkel's client as a test sees it: a process that takes commands and tells what happens."""

import asyncio
import itertools
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from .waiting import DEADLINE, Inbox

_TESTS = Path(__file__).resolve().parents[1]


class WokkelError(Exception):
    """A command was refused; the text is the condition of the error."""


class WokkelClient:
    """One process with one account. It trusts nobody but `certificate`; the first thing it tells is `logged in`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._reading = asyncio.create_task(self._read())
        self._errors = asyncio.create_task(self._read_errors())
        self.inbox = Inbox()
        self.jid = ""

    @classmethod
    async def log_in(cls, jid: str, password: str, port: int, certificate: Path) -> "WokkelClient":
        """Starts the process, and returns when it is logged in."""
        path = os.pathsep.join([str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-m", "interop.wokkel_child", jid, str(port)),
            env={**os.environ, "PYTHONPATH": path, "SSL_CERT_FILE": str(certificate)},
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        client = cls(process)
        client._write(password)
        client.jid = (await client.tells("logged in"))["jid"]
        return client

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.inbox.put(json.loads(line))

    async def _read_errors(self) -> str:
        assert self._process.stderr is not None
        errors = (await self._process.stderr.read()).decode()
        self.inbox.put(errors)
        return errors

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def do(self, command: str, *arguments: object) -> Any:
        """What a command results in. Raises WokkelError if it was refused."""
        number = next(self._numbers)
        self._write(json.dumps([number, command, arguments]))
        answer = await self._take(answer=number)
        if "error" in answer:
            raise WokkelError(answer["error"])
        return answer["result"]

    async def tells(self, event: str, **details: object) -> dict[str, Any]:
        """Takes the next event of that name with these details."""
        return await self._take(event=event, **details)

    async def _take(self, **wanted: object) -> Any:
        def fits(line: Any) -> bool:
            return isinstance(line, dict) and wanted.items() <= line.items()

        return await self.inbox.take(fits, f"line with {wanted}")

    async def leave(self) -> None:
        """Logs out, and ends the process. Raises AssertionError if it logged an error."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), DEADLINE)
        await self._reading
        errors = await self._errors
        assert not errors, errors
