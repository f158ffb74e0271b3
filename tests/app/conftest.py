"""Fixtures for what needs a running server's control socket, a short path for it, or a reactor."""

import shutil
import tempfile
import threading
from pathlib import Path

import pytest
from twisted.internet import threads
from twisted.internet.selectreactor import SelectReactor

from fermata.app import control


@pytest.fixture
def short_dir():
    """A directory whose path leaves room for a socket's name."""
    directory = Path(tempfile.mkdtemp(prefix="fm-", dir="/tmp"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def reactor():
    """A reactor of the test's own, running in a thread."""
    reactor = SelectReactor()
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False})
    started = threading.Event()
    reactor.callWhenRunning(started.set)
    thread.start()
    started.wait()
    yield reactor
    reactor.callFromThread(reactor.stop)
    thread.join()


@pytest.fixture
def run_in(reactor):
    """Calls something, which may be a coroutine function, in the reactor and gives its result."""
    return lambda call, *arguments: threads.blockingCallFromThread(reactor, call, *arguments)


@pytest.fixture
def serve(reactor, run_in):
    """Opens a control socket: `serve(data_dir, commands)`; gives the listening port or raises what `listen` raises."""
    return lambda data_dir, commands: run_in(control.listen, reactor, data_dir, commands)


@pytest.fixture
def here(short_dir, monkeypatch):
    """The current directory, with an empty configuration."""
    monkeypatch.chdir(short_dir)
    Path("etc").mkdir()
    Path("etc/fermata.toml").touch()
    return short_dir
