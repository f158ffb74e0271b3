"""Backups of an embedded database: whole, of one moment, private; and what is not restored."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from fermata.storage import backup, tables
from fermata.storage.errors import StorageError
from kit.databases import Opened, Place, message
from kit.full_disk import no_file_longer_than

OpenAt = Callable[[Place], Opened]


def ignore(done: int, total: int) -> None:
    """Nobody watches."""


def path_of(place: Place) -> Path:
    return Path(str(make_url(place.url).database))


def rows(file: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql).fetchall()


def fill(opened: Opened, count: int) -> None:
    for number in range(count):
        opened.keep(message(opened, f"{number} " + "x" * 1000))
    opened.commit()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "saved" / "copy.db"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    """So that much happens between one and the next."""
    monkeypatch.setattr(backup, "_PAGES_AT_ONCE", 16)
    target.parent.mkdir()


def test_a_copy_holds_what_was_there_when_it_began_whatever_is_written_meanwhile(
    sqlite_place: Place, open_at: OpenAt, target: Path
) -> None:
    opened = open_at(sqlite_place)
    fill(opened, 400)
    seen: list[tuple[int, int]] = []

    def write_on(done: int, total: int) -> None:
        seen.append((done, total))
        fill(opened, 20)

    backup.back_up(path_of(sqlite_place), target, write_on)
    assert len(seen) > 5
    assert seen[-1][0] == seen[-1][1]
    assert sorted(seen) == seen  # it has never begun anew
    assert rows(target, "SELECT count(*), max(seq) FROM archive") == [(400, 400)]
    assert rows(target, "SELECT * FROM meta") == rows(path_of(sqlite_place), "SELECT * FROM meta") != []
    assert backup.faults(target) == []


def test_a_copy_is_one_file_for_its_owner_alone_that_can_be_read_where_nothing_can_be_written(
    sqlite_place: Place, open_at: OpenAt, target: Path
) -> None:
    fill(open_at(sqlite_place), 10)
    backup.back_up(path_of(sqlite_place), target, ignore)
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT count(*) FROM archive").fetchone() == (10,)


def test_what_a_crash_has_left_in_the_log_is_copied_too(sqlite_place: Place, open_at: OpenAt, target: Path) -> None:
    opened = open_at(sqlite_place)
    fill(opened, 10)
    crashed = target.with_name("crashed.db")
    for suffix in ("", "-wal"):
        Path(f"{crashed}{suffix}").write_bytes(Path(f"{path_of(sqlite_place)}{suffix}").read_bytes())
    backup.back_up(crashed, target, ignore)
    assert rows(target, "SELECT count(*) FROM archive") == [(10,)]


def test_nothing_is_overwritten(sqlite_place: Place, open_at: OpenAt, target: Path) -> None:
    open_at(sqlite_place)
    target.write_text("mine")
    with pytest.raises(StorageError, match="is there already"):
        backup.back_up(path_of(sqlite_place), target, ignore)
    assert target.read_text() == "mine"
    target.rename(f"{target}.part")
    with pytest.raises(StorageError, match="another command is writing it"):
        backup.back_up(path_of(sqlite_place), target, ignore)
    assert Path(f"{target}.part").read_text() == "mine"


def test_what_is_not_there_is_not_copied(tmp_path: Path, target: Path) -> None:
    with pytest.raises(StorageError, match="there is no database"):
        backup.back_up(tmp_path / "none.db", target, ignore)
    assert list(target.parent.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing_half_done(sqlite_place: Place, open_at: OpenAt, target: Path) -> None:
    opened = open_at(sqlite_place)
    fill(opened, 200)
    with no_file_longer_than(100_000), pytest.raises(StorageError, match="could not be copied") as caught:
        backup.back_up(path_of(sqlite_place), target, ignore)
    assert str(target) in str(caught.value)
    assert list(target.parent.iterdir()) == []
    fill(opened, 1)


def test_who_interrupts_it_leaves_nothing_half_done(sqlite_place: Place, open_at: OpenAt, target: Path) -> None:
    fill(open_at(sqlite_place), 200)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.back_up(path_of(sqlite_place), target, interrupt)
    assert list(target.parent.iterdir()) == []


def test_a_directory_that_is_not_there_is_told(sqlite_place: Place, open_at: OpenAt, tmp_path: Path) -> None:
    open_at(sqlite_place)
    with pytest.raises(StorageError, match=r"copy\.db\.part cannot be made: No such file"):
        backup.back_up(path_of(sqlite_place), tmp_path / "none" / "copy.db", ignore)


@pytest.fixture
def saved(sqlite_place: Place, open_at: OpenAt, target: Path) -> Path:
    """A backup of a database with ten messages; there are twenty now, and no server."""
    opened = open_at(sqlite_place)
    fill(opened, 10)
    backup.back_up(path_of(sqlite_place), target, ignore)
    fill(opened, 10)
    opened.database.close()
    return target


def test_a_restored_database_is_as_it_was_and_the_other_one_is_kept(
    sqlite_place: Place, saved: Path, open_at: OpenAt
) -> None:
    database = path_of(sqlite_place)
    before = backup.restore(saved, database, ignore)
    assert before == Path(f"{database}.before-restore")
    assert rows(before, "SELECT count(*) FROM archive") == [(20,)]
    again = backup.restore(saved, database, ignore)
    assert again == Path(f"{database}.before-restore2")
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    opened = open_at(sqlite_place)
    assert len(opened.rows(select(tables.archive.c.seq))) == 10
    fill(opened, 1)


def test_no_id_that_was_given_out_since_the_backup_is_given_to_another_message(
    sqlite_place: Place, saved: Path, open_at: OpenAt
) -> None:
    for _ in range(2):
        backup.restore(saved, path_of(sqlite_place), ignore)
        opened = open_at(sqlite_place)
        assert opened.database.archive.new_seq() > 20 + 1_000_000
        opened.database.close()


def test_a_backup_is_restored_where_no_database_is(saved: Path, tmp_path: Path, open_at: OpenAt) -> None:
    database = tmp_path / "other.db"
    assert backup.restore(saved, database, ignore) is None
    opened = open_at(Place(f"sqlite:///{database}", "process"))
    assert len(opened.rows(select(tables.archive.c.seq))) == 10


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    file.write_bytes(content)


def make_newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def make_somebody_elses(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")


def empty(file: Path) -> None:
    file.write_bytes(b"")


def make_text(file: Path) -> None:
    file.write_text("-- SQLite format 3 is what this is not\n")


def make_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damage, "is damaged"),
        (make_newer, "was made by a newer Fermata"),
        (make_somebody_elses, "is no database of Fermata"),
        (empty, "is no SQLite database"),
        (make_text, "is no SQLite database"),
        (make_directory, "cannot be read: Is a directory"),
        (Path.unlink, "cannot be read: No such file"),
    ],
)
def test_something_else_is_refused_and_nothing_is_touched(
    sqlite_place: Place, saved: Path, spoil: Callable[[Path], object], words: str
) -> None:
    database = path_of(sqlite_place)
    content, files = database.read_bytes(), sorted(database.parent.iterdir())
    spoil(saved)
    with pytest.raises(StorageError, match=words) as caught:
        backup.restore(saved, database, ignore)
    assert str(saved) in str(caught.value)
    assert database.read_bytes() == content
    assert sorted(database.parent.iterdir()) == files


def test_nothing_is_restored_while_a_server_uses_the_database(
    sqlite_place: Place, saved: Path, open_at: OpenAt
) -> None:
    open_at(sqlite_place)
    with pytest.raises(StorageError, match="in use by another Fermata"):
        backup.restore(saved, path_of(sqlite_place), ignore)


def test_a_full_disk_is_told_and_the_database_stays(sqlite_place: Place, saved: Path) -> None:
    content = path_of(sqlite_place).read_bytes()
    with no_file_longer_than(50_000), pytest.raises(StorageError, match="could not be copied"):
        backup.restore(saved, path_of(sqlite_place), ignore)
    assert path_of(sqlite_place).read_bytes() == content


def test_a_broken_database_is_put_aside_as_it_is(sqlite_place: Place, saved: Path) -> None:
    database = path_of(sqlite_place)
    damage(database)
    Path(f"{database}-wal").write_bytes(b"what a crash has left")
    broken = database.read_bytes()
    before = backup.restore(saved, database, ignore)
    assert before is not None
    assert before.read_bytes() == broken
    assert not Path(f"{database}-wal").exists()
    assert backup.faults(database) == []


def test_damage_is_found(sqlite_place: Place, saved: Path) -> None:
    assert backup.faults(path_of(sqlite_place)) == []
    damage(path_of(sqlite_place))
    assert backup.faults(path_of(sqlite_place)) != []


def test_a_row_that_belongs_to_nothing_is_found(saved: Path) -> None:
    with closing(sqlite3.connect(saved)) as connection, connection:
        connection.execute("INSERT INTO spool VALUES (77, 1, 0, '')")
    assert backup.faults(saved) == ["a row of spool belongs to nothing"]
