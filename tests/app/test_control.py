"""The control socket, over real sockets: requests, refusals, who may open it, and what is done about long paths."""

import json
import os
import socket
import stat
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from fermata.app.control import ControlClient, ControlError, ServerDownError, socket_path


def echo(text: str, times: int = 1) -> str:
    return text * times


def refuse() -> None:
    raise ControlError("no, and here is why")


def break_down() -> None:
    raise RuntimeError("a secret of ours")


COMMANDS = {"echo": echo, "refuse": refuse, "break-down": break_down}


@pytest.fixture
def client(serve, short_dir):
    serve(short_dir, COMMANDS)
    with ControlClient(short_dir) as client:
        yield client


@pytest.fixture
def failures():
    """What is logged as a failure meanwhile."""
    seen = []

    def observe(event):
        if "log_failure" in event:
            seen.append(event["log_failure"].value)

    globalLogPublisher.addObserver(observe)
    yield seen
    globalLogPublisher.removeObserver(observe)


def test_a_command_gets_its_arguments_and_gives_its_result(client):
    assert client.call("echo", text="höher\n", times=2) == "höher\nhöher\n"
    assert client.call("echo", text="again") == "again"


def test_a_refusal_is_told_in_its_own_words(client):
    with pytest.raises(ControlError, match=r"^no, and here is why$"):
        client.call("refuse")
    assert client.call("echo", text="still here") == "still here"


def test_an_error_of_ours_goes_to_the_log_and_not_to_the_client(client, failures):
    with pytest.raises(ControlError, match=r"^the server failed to do that; its log says why$"):
        client.call("break-down")
    assert [str(failure) for failure in failures] == ["a secret of ours"]


@pytest.mark.parametrize(
    ("command", "arguments", "text"),
    [
        ("ecko", {}, "the server knows no command 'ecko'"),
        ("echo", {}, "echo: missing a required argument: 'text'"),
        ("echo", {"text": "x", "loudly": True}, "echo: got an unexpected keyword argument 'loudly'"),
    ],
)
def test_a_wrong_command_is_explained(client, command, arguments, text):
    with pytest.raises(ControlError, match=text):
        client.call(command, **arguments)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"5", b"\xff", b'{"command": []}', b'{"arguments": {}}', b'{"command": "echo", "arguments": 5}'],
)
def test_a_line_that_is_no_request_is_answered_with_an_error(serve, short_dir, line):
    serve(short_dir, COMMANDS)
    with socket.socket(socket.AF_UNIX) as raw, raw.makefile("rb") as lines:
        raw.connect(str(short_dir / "fermata.sock"))
        raw.sendall(line + b"\n")
        assert set(json.loads(lines.readline())) == {"error"}


def test_requests_in_one_piece_are_answered_in_order_though_the_first_takes_longer(reactor, serve, short_dir):
    waiting: Deferred[str] = Deferred()

    def slow() -> Deferred[str]:
        reactor.callLater(0, waiting.callback, "slow")
        return waiting

    async def quick() -> str:
        return "quick"

    serve(short_dir, {"slow": slow, "quick": quick})
    with socket.socket(socket.AF_UNIX) as raw, raw.makefile("rb") as lines:
        raw.connect(str(short_dir / "fermata.sock"))
        raw.sendall(b'{"command": "slow"}\n{"command": "quick"}\n')
        assert [json.loads(lines.readline()) for _ in range(2)] == [{"result": "slow"}, {"result": "quick"}]


def test_an_endless_line_is_cut_off(serve, short_dir):
    serve(short_dir, COMMANDS)
    with ControlClient(short_dir) as client, pytest.raises(ControlError, match=r"closed the connection|broke"):
        client.call("echo", text="x" * 2_000_000)


def test_a_server_that_does_not_answer_is_told_from_one_that_is_down(reactor, serve, short_dir):
    waiting: Deferred[None] = Deferred()
    serve(short_dir, {"wait": lambda: waiting})
    with ControlClient(short_dir, answer_seconds=0.05) as client, pytest.raises(ControlError, match="does not answer"):
        client.call("wait")
    reactor.callFromThread(waiting.callback, None)


def test_only_the_owner_may_open_the_socket(serve, short_dir):
    serve(short_dir, COMMANDS)
    assert stat.S_IMODE((short_dir / "fermata.sock").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_socket_that_is_not_ours_is_not_called_down(serve, short_dir):
    serve(short_dir, COMMANDS)
    (short_dir / "fermata.sock").chmod(0)
    with pytest.raises(ControlError, match="run this as the server's user") as caught:
        ControlClient(short_dir)
    assert not isinstance(caught.value, ServerDownError)


@pytest.mark.parametrize("make", [lambda d: None, lambda d: d.mkdir(), lambda d: d.write_text("")])
def test_without_a_socket_the_server_is_down(tmp_path, make):
    make(tmp_path / "data")
    with pytest.raises(ServerDownError, match="no server is running with the data directory"):
        ControlClient(tmp_path / "data")


def leave_behind(path: Path) -> None:
    """Leaves a socket behind as a killed server does."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


def test_a_socket_left_behind_means_down_and_is_replaced(serve, short_dir):
    leave_behind(short_dir / "fermata.sock")
    with pytest.raises(ServerDownError):
        ControlClient(short_dir)
    serve(short_dir, COMMANDS)
    with ControlClient(short_dir) as client:
        assert client.call("echo", text="up") == "up"


def test_a_second_server_is_refused_and_leaves_the_first_alone(serve, short_dir):
    serve(short_dir, COMMANDS)
    with pytest.raises(ControlError, match="another server is running"):
        serve(short_dir, COMMANDS)
    with ControlClient(short_dir) as client:
        assert client.call("echo", text="first") == "first"


def test_a_data_directory_that_is_missing_is_an_error_for_people(serve, short_dir):
    with pytest.raises(ControlError, match=r"the data directory .* is missing"):
        serve(short_dir / "none", COMMANDS)


@pytest.fixture
def long_dir(short_dir):
    directory = short_dir / ("x" * 60) / ("y" * 60)
    directory.mkdir(parents=True)
    return directory


@pytest.mark.parametrize("extra", range(-2, 3))
def test_a_path_is_used_as_long_as_the_system_takes_it(short_dir, extra, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    room = 107 + extra - len(os.fsencode(short_dir)) - len("//fermata.sock")
    directory = short_dir / ("d" * room)
    directory.mkdir()
    path = socket_path(directory)
    assert len(os.fsencode(path)) <= 107
    assert (path.parent == directory) is (extra <= 0)
    path.parent.mkdir(exist_ok=True)
    leave_behind(path)  # the system takes it


def test_a_path_counts_in_bytes_not_characters(short_dir):
    assert socket_path(short_dir / ("ü" * 60)).parent != short_dir / ("ü" * 60)


def test_a_path_too_long_goes_to_a_private_directory_and_is_found_from_any_environment(
    serve, long_dir, short_dir, monkeypatch
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    serve(long_dir, COMMANDS)
    path = socket_path(long_dir)
    assert path.parent.parent == short_dir
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with ControlClient(long_dir) as client:
        assert client.call("echo", text="found") == "found"
    with pytest.raises(ControlError, match="another server is running"):
        serve(long_dir, COMMANDS)


def test_a_long_path_survives_a_killed_server(serve, long_dir, short_dir, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    path = socket_path(long_dir)
    path.parent.mkdir(mode=0o700)
    leave_behind(path)
    (long_dir / "fermata.sock").symlink_to(path)
    with pytest.raises(ServerDownError):
        ControlClient(long_dir)
    serve(long_dir, COMMANDS)
    with ControlClient(long_dir) as client:
        assert client.call("echo", text="up") == "up"


def test_the_hashed_name_is_stable_and_differs_for_each_data_directory(long_dir):
    other = long_dir.parent / ("z" * 60)
    assert socket_path(long_dir) == socket_path(long_dir)
    assert socket_path(long_dir).parent == socket_path(other).parent
    assert socket_path(long_dir) != socket_path(other)


def test_a_runtime_directory_that_is_not_there_is_not_used(long_dir, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere/at/all")
    assert socket_path(long_dir).parent.parent == Path("/tmp")


@pytest.mark.parametrize("trap", ["open", "link"])
def test_a_directory_that_others_can_reach_is_refused(serve, long_dir, short_dir, monkeypatch, trap):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    private = socket_path(long_dir).parent
    if trap == "open":
        private.mkdir()
        private.chmod(0o777)
    else:
        (short_dir / "elsewhere").mkdir(mode=0o700)
        private.symlink_to(short_dir / "elsewhere")
    with pytest.raises(ControlError, match="must be a directory of ours"):
        serve(long_dir, COMMANDS)
