"""`fermata check`: whether the server can write where it must, and listen where it should."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from .config import Config, listeners
from .endpoints import Port, tcp_port
from .finding import Finding, error, warning


def directory_findings(config: Config) -> Iterator[Finding]:
    """Whether the data directory, and the database's if it is another, can be written or made."""
    yield from _unwritable(config.server.data_dir, "`data_dir` in [server]")
    file = sqlite_file(config)
    if file is None:
        return
    if file.parent != config.server.data_dir:
        yield from _unwritable(file.parent, "`url` in [storage]")
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        yield error(f"`url` in [storage]: {file} cannot be read and written", _as_whom(file))


def sqlite_file(config: Config) -> Path | None:
    """The file that the database is in, if it is in one."""
    scheme, _, path = config.storage.url.partition(":///")
    return Path(path.partition("?")[0]) if scheme == "sqlite" else None


def _unwritable(directory: Path, setting: str) -> Iterator[Finding]:
    found = directory
    while not found.exists() and found != found.parent:
        found = found.parent
    if not found.is_dir():
        yield error(f"{setting}: {found} is no directory")
    elif not os.access(found, os.W_OK | os.X_OK):
        missing = "" if found == directory else f", so {directory} cannot be made"
        yield error(f"{setting}: the directory {found} cannot be written{missing}", _as_whom(found))


def _as_whom(path: Path) -> str:
    return f"it belongs to user {path.stat().st_uid}, this is user {os.geteuid()}"


def port_findings(config: Config, running: bool) -> Iterator[Finding]:
    """Whether every port can be had; those of a running server of ours should all be taken, namely by it."""
    for (table, key), text in listeners(config):
        port = tcp_port(text)
        if port is None or not port.number:
            continue
        refusal = _try(port)
        place = f"`{key}` in [{table}]: {port}"
        if refusal is None:
            if running:
                yield warning(f"{place} is free though Fermata is running", "start it again to have it listen there")
        elif refusal.errno == errno.EADDRINUSE:
            if not running:
                yield error(f"{place} is in use by another program", f"ss -ltnp 'sport = :{port.number}' names it")
        elif refusal.errno == errno.EACCES:
            yield error(f"{place} is for privileged programs alone", "use a port above 1023")
        elif refusal.errno == errno.EADDRNOTAVAIL:
            yield error(f"{place} is at no address of this machine")
        else:
            yield error(f"{place} cannot be listened on: {refusal.strerror}")


def _try(port: Port) -> OSError | None:
    """Takes the port for a moment, without listening. Returns why that could not be done."""
    try:
        with socket.socket(socket.AF_INET6 if port.ipv6 else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((port.interface, port.number))
    except OSError as refusal:
        return refusal
    return None
