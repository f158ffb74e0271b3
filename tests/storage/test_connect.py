"""A database that can't be opened says why."""

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fermata.storage.connect import connect
from fermata.storage.errors import StorageError
from kit.databases import Opened, Place


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "is no database URL"),
        ("mysql://host/db", "mysql is no database that can be used"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite:////nowhere/at/all/fermata.db", "/nowhere/at/all/fermata.db can't be opened: No such file"),
        ("sqlite:////", "can't be opened: Is a directory"),
        ("postgresql://user:secret@127.0.0.1:1/db", "can't be opened: connection"),
    ],
)
def test_it_says_why_it_cannot_be_opened(url: str, words: str) -> None:
    with pytest.raises(StorageError) as raised:
        connect(url, "process")
    assert words in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Romeo, " * 100)
    with pytest.raises(StorageError, match="is not a database"):
        connect(f"sqlite:///{path}", "process")
    assert path.read_text() == "Dear Romeo, " * 100


def test_its_files_are_for_their_owner_alone(
    sqlite_place: Place, tmp_path: Path, open_at: Callable[[Place], Opened]
) -> None:
    open_at(sqlite_place)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [
        "fermata.db",
        "fermata.db-shm",
        "fermata.db-wal",
        "fermata.db.lock",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize(("durability", "synchronous"), [("process", 1), ("power", 2)])
def test_durability_is_what_sqlite_waits_for(tmp_path: Path, durability: str, synchronous: int) -> None:
    engine = connect(f"sqlite:///{tmp_path}/fermata.db", "power" if durability == "power" else "process")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == synchronous
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_with_durability_power_postgresql_commits_to_disk(postgresql_place: Place) -> None:
    engine = connect(postgresql_place.url + "&options=-csynchronous_commit%3Doff", "power")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    engine.dispose()


def test_a_second_server_on_the_same_file_is_refused(sqlite_place: Place, open_at: Callable[[Place], Opened]) -> None:
    first = open_at(sqlite_place)
    with pytest.raises(StorageError, match=r"in use by another Fermata \(process \d+\)"):
        open_at(sqlite_place)
    first.database.close()
    open_at(sqlite_place)


def test_a_second_process_on_the_same_file_is_refused(sqlite_place: Place, open_at: Callable[[Place], Opened]) -> None:
    open_at(sqlite_place)
    opening = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from kit.databases import *"
    script = f"{opening}; Opened.at(Place({sqlite_place.url!r}, 'process'))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "in use by another Fermata" in ended.stderr


def test_after_closing_there_is_one_file_and_its_lock(
    sqlite_place: Place, tmp_path: Path, open_at: Callable[[Place], Opened]
) -> None:
    open_at(sqlite_place).database.close()
    assert {path.name for path in tmp_path.iterdir()} == {"fermata.db", "fermata.db.lock"}
