"""The documents name what is there."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "tests" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Paths are written from the top, or, below the package, from there.
TOPS = [ROOT, ROOT / "server" / "fermata"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_in_a_document_exists(page: Path) -> None:
    paths = re.findall(r"`([\w.\-/]+/[\w.\-/]*)`", page.read_text(encoding="utf-8"))
    assert [path for path in paths if not any((top / path).exists() for top in TOPS)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_document_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
    files = (ROOT / "tests").rglob("test_*.py") if named else ()
    there = {name for file in files for name in re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))}
    assert named - there == set()


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    wanted = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in ("postgres", "dev"))]
    tables = [re.findall(r"^\| ([\w\-]+) \|", part, re.MULTILINE) for part in text.split("\n## ")[1:]]
    named = [[re.split(r"[\[<>=]", requirement)[0] for requirement in group] for group in wanted]
    assert [sorted(set(table) - {"package"}) for table in tables] == [sorted(group) for group in named]
