"""The files of the log of sessions: whole lines only, of our own database, and never one too few."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from fermata.storage.errors import StorageError
from fermata.storage.session_files import SessionFiles
from kit.full_disk import no_file_longer_than


@pytest.fixture
def files(tmp_path: Path) -> Iterator[SessionFiles]:
    files = SessionFiles(tmp_path, "first", "ours")
    yield files
    files.close()


def left(directory: Path, database: str = "ours") -> tuple[str, list[list[object]]] | None:
    """What the next process finds."""
    found = SessionFiles(directory, "next", database).found()
    return None if found is None else (found.run, list(found.lines))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_there_is_nothing_at_first(tmp_path: Path) -> None:
    assert left(tmp_path) is None


def test_what_was_written_is_found_by_the_next_process(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([[["+", 1, "a@b"]], [["é\udc80\n"]]])
    files.append([["q", 1], ["a", 1, 5]])
    assert left(tmp_path) == ("first", [[["+", 1, "a@b"]], [["é\udc80\n"]], [["q", 1], ["a", 1, 5]]])
    assert (tmp_path / names(tmp_path)[0]).stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_has_cut_short_is_not_there(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([[["a"]]])
    files.append([["b"]])
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for length in range(len(whole) - 1, whole.index(b'[["b"]]') - 9, -1):
        path.write_bytes(whole[:length])
        assert left(tmp_path) == ("first", [[["a"]]])


def test_what_comes_after_damage_is_not_read(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([[["a"]], [["b"]], [["c"]]])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b'[["b"]]', b'[["x"]]'))
    assert left(tmp_path) == ("first", [[["a"]]])


def test_a_file_that_was_not_finished_takes_no_others_place(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([[["a"]]])

    def lines() -> Iterator[list[list[str]]]:
        yield [["b"]]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    later = SessionFiles(tmp_path, "second", "ours")
    with pytest.raises(OSError, match="space"):
        later.begin(lines())
    later.close()
    assert left(tmp_path) == ("first", [[["a"]]])


def test_the_files_go_on_one_after_the_other_until_the_older_are_not_needed(
    tmp_path: Path, files: SessionFiles
) -> None:
    files.begin([[["a"]]])
    files.go_on()
    files.append([["b"]])
    assert left(tmp_path) == ("first", [[["a"]], [["b"]]])
    files.drop_older()
    assert left(tmp_path) == ("first", [[["b"]]])
    files.begin([[["c"]]])
    assert left(tmp_path) == ("first", [[["c"]]])
    assert len(names(tmp_path)) == 1


def test_older_files_that_a_crash_has_left_are_not_read(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([[["a"]]])
    (path,) = tmp_path.iterdir()
    copy = path.read_bytes()
    files.begin([[["b"]]])
    path.write_bytes(copy)
    assert left(tmp_path) == ("first", [[["b"]]])


def test_what_belongs_to_another_database_is_left_out(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([[["a"]]])
    assert left(tmp_path, "another") is None


def test_what_another_version_has_written_is_not_touched(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([])
    (path,) = tmp_path.iterdir()
    header = path.read_bytes()[9:-1].replace(b'"format":1', b'"format":2')
    path.write_bytes(b"%08x %s\n" % (crc32(header), header))
    with pytest.raises(StorageError, match="another version"):
        left(tmp_path)
    assert names(tmp_path) == [path.name]


def test_a_full_disk_is_told_and_what_was_written_before_is_there(tmp_path: Path, files: SessionFiles) -> None:
    files.begin([[["a"]]])
    with no_file_longer_than(files.size + 20), pytest.raises(OSError, match=r"large|whole"):
        files.append([["x" * 100]])
    assert left(tmp_path) == ("first", [[["a"]]])
