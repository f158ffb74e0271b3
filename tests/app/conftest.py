"""Fixtures for what needs a running server's control socket, or a short path for it."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, succeed

from fermata.app import control
from fermata.app.cli import main
from fermata.app.commands import running_commands
from fermata.app.config import Config
from fermata.app.parts import Parts
from fermata.storage.database import Database


@pytest.fixture
def short_dir():
    """A directory whose path leaves room for a socket's name."""
    directory = Path(tempfile.mkdtemp(prefix="fm-", dir="/tmp"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def serve(short_dir, reactor, run_in):
    """Opens a control socket: `serve(data_dir, commands)`; gives the listening port or raises what `listen` raises."""
    ports = []

    def listen(data_dir, commands):
        ports.append(run_in(control.listen, reactor, data_dir, commands))
        return ports[-1]

    yield listen
    for port in ports:
        with suppress(FileNotFoundError):  # a test has taken the socket away
            run_in(port.stopListening)


@pytest.fixture
def here(short_dir, monkeypatch):
    """The current directory, with an empty configuration."""
    monkeypatch.chdir(short_dir)
    Path("etc").mkdir()
    Path("etc/fermata.toml").touch()
    return short_dir


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes `fermata.toml` in the current directory and gives its path."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str) -> Path:
        path = Path("fermata.toml")
        path.write_text(text)
        return path

    return write_file


@pytest.fixture
def run(capsys):
    """Runs a command: gives its exit code, standard output and standard error."""

    def run_command(*words: str) -> tuple[int, str, str]:
        code = main(words)
        return code, *capsys.readouterr()

    return run_command


@pytest.fixture
def database(reactor, run_in):
    """The default database, open in the test's reactor."""
    Path("var").mkdir(exist_ok=True)
    arguments = (Config().storage.url, "process", reactor, reactor.callFromThread)
    database = run_in(Database.open, *arguments)
    yield database
    run_in(database.close)


@pytest.fixture
def parts(database, reactor, run_in):
    """A server in the test's reactor, but for its network."""
    return run_in(Parts, Config(), database, reactor, Deferred.fromCoroutine, lambda work: succeed(work()))


@pytest.fixture(params=["up", "down"])
def up_or_down(request):
    """With the server up or down, as far as the command line can see; says which."""
    if request.param == "up":
        serve, parts = request.getfixturevalue("serve"), request.getfixturevalue("parts")
        serve(Path("var"), running_commands(parts.services))
    return request.param
