"""A start that finds what it cannot use says so, ends, and leaves everything as it is."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zlib import crc32

import pytest

from kit.server import START, Server
from kit.wire import Client


def newer(data: Path) -> None:
    with closing(sqlite3.connect(data / "fermata.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()


def no_database(data: Path) -> None:
    (data / "fermata.db").write_text("Dear Romeo, " * 1000)


def cut_short(data: Path) -> None:
    path = data / "fermata.db"
    path.write_bytes(path.read_bytes()[:5000])


def overwritten(data: Path) -> None:
    path = data / "fermata.db"
    octets = bytearray(path.read_bytes())
    octets[100:4096] = b"\xff" * 3996  # the page with the names of all tables
    path.write_bytes(octets)


def newer_sessions(data: Path) -> None:
    (path,) = data.glob("sessions-*.log")
    header = json.dumps([{"format": 2}]).encode()
    path.write_bytes(b"%08x %s\n" % (crc32(header), header))


DAMAGES: dict[Callable[[Path], None], str] = {
    newer: "newer than this server",
    no_database: "is not a database",
    cut_short: "malformed",
    overwritten: "malformed",
    newer_sessions: "another version of Fermata",
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server that ran once, and stopped as it should."""
    server = Server(tmp_path_factory.mktemp("stopped"))
    server.add_accounts([("juliet@localhost", "o-wild-west-wind")])
    server.start()
    Client(server.link()).open()  # now it is running
    server.stop()
    server.cut_all()
    return server


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_used_is_told_and_not_touched(
    tmp_path: Path, stopped: Server, damage: Callable[[Path], None]
) -> None:
    server = Server(tmp_path)
    server.copy_data(stopped)
    data = tmp_path / "var"
    damage(data)
    before = contents(data)
    server.launch()
    assert not server.is_running(START), "it started"
    said = server.wait_for_log("Fermata cannot start: ")
    assert DAMAGES[damage] in said
    assert not server.failures()
    assert contents(data) == before


def contents(data: Path) -> dict[str, bytes]:
    """Every file but the lock, which says who had it last."""
    return {path.name: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.suffix != ".lock"}
