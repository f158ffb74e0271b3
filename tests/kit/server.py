"""A real server in a process of its own, in a directory of its own, with its log in memory."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from random import SystemRandom

from fermata.app.cli import main

from .links import SocketLink, TLSLink

START = 30.0  # seconds in which a server has to listen, or to stop
_BIN = Path(sys.executable).parent
_CHANCE = SystemRandom()  # of its own: tests give the usual one the same seed in each process
_FAILURE = re.compile(r"Traceback \(most recent call last\)|Unhandled")

Settings = Mapping[str, Mapping[str, object]]


# Below those that the system gives to connections: one of these could have a port before the server that it is for.
_PORTS = range(10_000, 32_768)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    while True:
        port = _CHANCE.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """`directory` keeps its configuration and data from one start to the next; `settings` go over the defaults.

    The defaults here are plain text allowed (so that most tests need no TLS), no limit on wrong passwords, and
    listening for clients only.
    """

    def __init__(self, directory: Path, settings: Settings | None = None) -> None:
        self.directory = directory
        self.database_url = f"sqlite:///{directory}/var/fermata.db"
        self.port = free_port()
        self.direct_tls_port = free_port()
        self.log: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.program = [str(_BIN / "twistd")]
        self.inherited: tuple[int, ...] = ()  # open files that the process gets
        self._heard = threading.Condition()
        self._links: list[SocketLink] = []
        self.configuration = directory / "fermata.toml"
        merged = {section: dict(values) for section, values in self._defaults().items()}
        for section, values in (settings or {}).items():
            merged.setdefault(section, {}).update(values)
        self.configuration.write_text(_toml(merged))

    def _defaults(self) -> Settings:
        return {
            "server": {"data_dir": str(self.directory / "var")},
            "storage": {"url": self.database_url},
            "tls": {
                "certificate": str(self.directory / "var/tls/cert.pem"),
                "key": str(self.directory / "var/tls/key.pem"),
            },
            "c2s": {
                "listen": [f"tcp:{self.port}:interface=127.0.0.1"],
                "listen_direct_tls": [f"tcp:{self.direct_tls_port}:interface=127.0.0.1"],
                "require_tls": False,
            },
            "s2s": {"listen": []},
            "http": {"listen": []},
            "limits": {"failed_logins_per_minute": 0},
        }

    def add_accounts(self, accounts: Iterable[tuple[str, str]]) -> None:
        """Make accounts of (bare JID, password) with the command line."""
        table = self.directory / "accounts.csv"
        table.write_text("jid,password\n" + "".join(f"{jid},{password}\n" for jid, password in accounts))
        self.command("user", "import", str(table))

    def copy_data(self, other: "Server") -> None:
        """Begin with the data that another server, which does not run, has left."""
        shutil.copytree(other.directory / "var", self.directory / "var", dirs_exist_ok=True)

    def command(self, *arguments: str) -> str:
        """What `fermata --config … ARGUMENTS` prints. Raises AssertionError if it fails.

        It runs in this process: to start another one takes a hundred times longer than most commands.
        """
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["--config", str(self.configuration), *arguments])
        assert code == 0, f"{arguments}: {out.getvalue()}{err.getvalue()}"
        return out.getvalue()

    def start(self) -> None:
        """Start it, and return when it listens."""
        self.launch()
        self.wait_until_it_listens()

    def launch(self, **environment: str) -> None:
        """Start it, with these variables more in its environment."""
        line = [*self.program, "-n", "--pidfile=", "fermata", "--config", str(self.configuration)]
        self.process = subprocess.Popen(
            line,
            cwd=self.directory,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=self.inherited,
        )
        threading.Thread(target=self._collect, args=(self.process,), daemon=True).start()

    def wait_until_it_listens(self) -> None:
        """Return when it does. Raises AssertionError if it ends instead."""
        deadline = time.monotonic() + START
        while not self._listens():
            assert self.is_running(0.02), f"the server did not start:\n{''.join(self.log)}"
            assert time.monotonic() < deadline, f"the server does not listen:\n{''.join(self.log)}"

    def _collect(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                with self._heard:
                    self.log.append(line)
                    self._heard.notify_all()

    def wait_for_log(self, text: str, since: int = 0) -> str:
        """The first line with that text, from that line on. Raises AssertionError if it does not come."""

        def found() -> str:
            return next((line for line in self.log[since:] if text in line), "")

        with self._heard:
            assert self._heard.wait_for(found, START), f"the log does not say {text!r}:\n{''.join(self.log[since:])}"
            return found()

    def _listens(self) -> bool:
        """Whether it takes a connection, and notices its end: then all its ports are open, not only the first."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                probe.settimeout(START)
                probe.shutdown(socket.SHUT_WR)
                probe.recv(1)
        except OSError:
            return False
        return True

    def is_running(self, within: float = 0.0) -> bool:
        """Whether the process is there, and still is after so many seconds."""
        assert self.process is not None
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            return True
        return False

    def stop(self) -> None:
        """End it gracefully (SIGTERM)."""
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(START)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not stop on SIGTERM") from None

    def kill(self) -> None:
        """End it as a crash does (SIGKILL)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def reload(self) -> None:
        """Let it load its certificates again (SIGHUP)."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def failures(self, since: int = 0) -> str:
        """What the log says from that line on, if it has a traceback; else nothing."""
        lines = self.log[since:]
        return "".join(lines) if any(_FAILURE.search(line) for line in lines) else ""

    def link(self, source: str = "") -> SocketLink:
        """A new connection, from that loopback address if one is given."""
        return self._connected(self.port, source)

    def direct_tls(self, alpn: tuple[bytes, ...] = (b"xmpp-client",), name: str = "localhost") -> TLSLink:
        """A new connection with TLS from its first byte (XEP-0368), to the host of that name."""
        return TLSLink(self._connected(self.direct_tls_port, ""), name, alpn)

    def _connected(self, port: int, source: str) -> SocketLink:
        link = SocketLink(("127.0.0.1", port), source)
        self._links.append(link)
        return link

    def cut_all(self) -> None:
        """Close every connection made here that still is open."""
        for link in self._links:
            link.close()
        self._links.clear()


def _toml(settings: Settings) -> str:
    """TOML of plain values, which JSON writes in the same way."""
    lines = []
    for section, values in settings.items():
        lines.append(f"[{section}]")
        lines += [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
