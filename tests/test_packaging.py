"""The wheel holds what a server needs and nothing else, and works where only it is installed."""

import os
import site
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = Path(sysconfig.get_path("scripts"))
TWISTD = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"


def run(directory: Path, *command: str | Path) -> str:
    """What a command says; run where no file of the checkout is found by chance."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    run(directory, sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", directory, ROOT)
    (built,) = directory.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it; its dependencies are borrowed from the one that runs the tests."""
    directory = tmp_path_factory.mktemp("venv")
    venv.create(directory, with_pip=False, symlinks=True)
    python = directory / "bin" / "python"
    run(directory, sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel)
    (packages,) = directory.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return directory


def test_the_wheel_holds_the_package_and_what_belongs_to_it(wheel: Path) -> None:
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = {path.relative_to(ROOT / "server").as_posix() for path in (ROOT / "server").rglob("*.py")}
    steps = {f"fermata/migrations/versions/{path.name}" for path in (ROOT / "migrations/versions").glob("*.py")}
    assert steps
    assert held == sources | steps | {
        "fermata/py.typed",
        "fermata/etc/fermata.toml",
        "fermata/migrations/env.py",
        "fermata/migrations/script.py.mako",
        "twisted/plugins/fermata_plugin.py",
    }


def test_the_package_comes_from_the_wheel(installed: Path) -> None:
    code = "import fermata, fermata.storage.migrations as m; print(fermata.__file__); print(m.directory())"
    package, migrations = run(installed, installed / "bin/python", "-c", code).split()
    assert Path(package).is_relative_to(installed)
    assert Path(migrations) == Path(package).parent / "migrations"


def test_twistd_knows_an_installed_fermata(installed: Path) -> None:
    assert "\n    fermata  " in run(installed, installed / "bin/python", "-c", TWISTD, "--help")


@pytest.mark.skipif(not (ROOT / "server/fermata/app/cli.py").exists(), reason="there is no command line yet")
def test_the_command_line_is_installed(installed: Path) -> None:
    assert "fermata" in run(installed, installed / "bin/fermata", "--help")


def test_twistd_knows_the_fermata_of_this_checkout(tmp_path: Path) -> None:
    assert "\n    fermata  " in run(tmp_path, SCRIPTS / "twistd", "--help")


def test_an_editable_install_copies_nothing(tmp_path: Path) -> None:
    code = "import sys; from hatchling.build import build_editable; print(build_editable(sys.argv[1]))"
    built = run(ROOT, sys.executable, "-c", code, tmp_path).strip()
    assert [name for name in ZipFile(tmp_path / built).namelist() if ".dist-info/" not in name] == ["_fermata.pth"]
