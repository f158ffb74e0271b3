"""`fermata check`: components that can't be imported, can't connect, or whose secrets everybody can read."""

import pytest

from fermata.app.check_components import component_findings
from fermata.app.config import load


@pytest.fixture
def findings(tmp_path):
    """What is found in that configuration, as severity and text."""

    def find(text: str, mode: int = 0o600) -> list[str]:
        path = tmp_path / "fermata.toml"
        path.write_text(text)
        path.chmod(mode)
        return [f"{finding.severity}: {finding.text}" for finding in component_findings(load(path), path)]

    return find


EXTERNAL = '[components]\nlisten = ["unix:/run/c.sock"]\n[components.external."irc.localhost"]\nsecret = "s"\n'


def inside(path: str) -> str:
    return f'[components.inside."bot.localhost"]\nhandler = "{path}"'


def test_no_components_are_no_finding(findings):
    assert findings("", 0o644) == []


def test_what_can_be_imported_is_no_finding(findings):
    assert findings(inside("kit.bots:Parrot"), 0o644) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_such_module:Bot", "No module named 'no_such_module'"),
        ("kit.bots:NoSuchBot", "has no attribute 'NoSuchBot'"),
        ("kit.bots:NOT_CALLABLE", "neither a class nor a function"),
    ],
)
def test_what_cannot_be_imported_is_an_error(findings, path, words):
    (found,) = findings(inside(path))
    assert found.startswith(f'error: `inside` "bot.localhost" in [components]: {path} ')
    assert words in found


def test_a_module_that_fails_is_an_error(findings, tmp_path, monkeypatch):
    (tmp_path / "broken_bot.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = findings(inside("broken_bot:Bot"))
    assert "broken_bot:Bot cannot be imported: ZeroDivisionError: division by zero" in found


def test_external_components_are_fine_if_somebody_listens(findings):
    assert findings(EXTERNAL) == []


def test_without_a_port_they_cannot_connect(findings):
    (found,) = findings('[components.external."irc.localhost"]\nsecret = "s"')
    assert found.startswith("warning: `listen` in [components] is empty")


@pytest.mark.parametrize(("mode", "is_open"), [(0o644, True), (0o640, False), (0o604, True)])
def test_secrets_that_everybody_can_read_are_told(findings, mode, is_open):
    found = findings(EXTERNAL, mode)
    assert bool(found) is is_open
    assert all("can be read by everybody" in finding for finding in found)
