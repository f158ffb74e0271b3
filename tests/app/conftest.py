"""Fixtures for what needs a running server's control socket, a short path for it, or a reactor."""

import shutil
import tempfile
import threading
from pathlib import Path

import pytest
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
def serve(reactor):
    """Opens a control socket: `serve(data_dir, commands)`; gives the listening port or raises what `listen` raises."""

    def open_socket(data_dir, commands):
        done = threading.Event()
        outcome = []

        def call():
            try:
                outcome.append(control.listen(reactor, data_dir, commands))
            except control.ControlError as error:
                outcome.append(error)
            done.set()

        reactor.callFromThread(call)
        done.wait()
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    return open_socket
