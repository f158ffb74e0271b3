"""The control socket: how the command line talks to the running server.

One JSON object on a line in each direction, any number of them one after the other:

    {"command": "user-add", "arguments": {"jid": "juliet@example.org", "password": "…"}}
    {"result": null}        or        {"error": "juliet@example.org is there already"}

The socket is `fermata.sock` in the data directory, mode 0600: who may open it may do anything. The system allows paths
of 107 bytes; a longer one is replaced by a short one made from its hash, in a directory of ours, and a symbolic link in
the data directory says where, since the two sides need not have the same environment.
"""

import hashlib
import inspect
import json
import os
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorUNIX
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from ..xmpp.errors import StanzaError
from .errors import CommandError

Commands = Mapping[str, Callable[..., Any]]

_PATH_BYTES_MAX: Final = 107
_LINE_BYTES_MAX: Final = 1024 * 1024
_ANSWER_SECONDS: Final = 60.0


class ControlError(CommandError):
    """The server could not be asked, or refused."""


class ServerDownError(ControlError):
    """No server listens on the control socket."""


def socket_path(data_dir: Path) -> Path:
    """Where a server with that data directory binds its control socket."""
    path = data_dir.resolve() / "fermata.sock"
    if len(os.fsencode(path)) <= _PATH_BYTES_MAX:
        return path
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")
    if not runtime.is_dir():
        runtime = Path("/tmp")
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return runtime / f"fermata-{os.geteuid()}" / f"{digest}.sock"


class ControlProtocol(LineReceiver):
    """Answers the requests of one connection, in order."""

    delimiter = b"\n"
    MAX_LENGTH = _LINE_BYTES_MAX
    _log = Logger()

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """One request; the next one waits until this one is answered."""
        self.pauseProducing()  # type: ignore[no-untyped-call]
        maybeDeferred(self._perform, line).addCallbacks(self._succeeded, self._failed).addBoth(self._go_on)

    def _perform(self, line: bytes) -> Any:
        try:
            request = json.loads(line)
            name, arguments = request["command"], request.get("arguments", {})
            command = self._commands[name]
        except KeyError as error:
            raise ControlError(f"the server knows no command {error}; is it another version?") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise ControlError("the request is no JSON object with a command") from error
        try:
            inspect.signature(command).bind(**arguments)
        except TypeError as error:
            raise ControlError(f"{name}: {error}") from error
        return command(**arguments)

    def _succeeded(self, result: Any) -> None:
        self._answer({"result": result})

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, StanzaError):
            self._answer({"error": error.text or error.condition})
        elif isinstance(error, CommandError):
            self._answer({"error": str(error)})
        else:
            self._log.failure("a command on the control socket failed", failure)
            self._answer({"error": "the server failed to do that; its log says why"})

    def _answer(self, answer: dict[str, Any]) -> None:
        self.sendLine(json.dumps(answer).encode("utf-8"))  # type: ignore[no-untyped-call]

    def _go_on(self, _: object) -> None:
        self.resumeProducing()  # type: ignore[no-untyped-call]


class ControlFactory(Factory):
    """Offers commands: name → what to call with the arguments of a request, by keyword.

    A command returns what JSON can say, or something awaitable with it, and raises CommandError or StanzaError.
    """

    noisy = False

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def buildProtocol(self, _: object) -> ControlProtocol:
        """One for each connection."""
        return ControlProtocol(self._commands)


def listen(reactor: IReactorUNIX, data_dir: Path, commands: Commands) -> IListeningPort:
    """Opens the control socket. Raises ControlError if another server is there, or no socket can be made."""
    if not data_dir.is_dir():
        raise ControlError(f"the data directory {data_dir} is missing")
    path = socket_path(data_dir)
    link = data_dir / "fermata.sock"
    try:
        with ControlClient(data_dir):
            raise ControlError(f"another server is running with the data directory {data_dir}")
    except ServerDownError:
        pass
    if path.name != link.name:
        _own_directory(path.parent)
    for left_over in (path, link):  # by a server that was killed
        left_over.unlink(missing_ok=True)
    try:
        port = reactor.listenUNIX(os.fspath(path), ControlFactory(commands), mode=0o600, wantPID=False)
    except CannotListenError as error:
        raise ControlError(f"the control socket {path} cannot be made: {error.socketError}") from error
    if path.name != link.name:
        link.symlink_to(path)
    return port


def _own_directory(directory: Path) -> None:
    """Makes sure of a directory that nobody else can put anything into."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise ControlError(f"{directory} must be a directory of ours that nobody else can open (mode 0700)")


class ControlClient:
    """A blocking connection to a running server's control socket; use it in a `with` statement."""

    def __init__(self, data_dir: Path, answer_seconds: float = _ANSWER_SECONDS) -> None:
        """Connects. Raises ServerDownError if no server listens, and ControlError if we may not ask."""
        path = data_dir / "fermata.sock"
        path = path.readlink() if path.is_symlink() else socket_path(data_dir)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(answer_seconds)
        try:
            self._socket.connect(os.fspath(path))
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            self._socket.close()
            raise ServerDownError(f"no server is running with the data directory {data_dir}") from error
        except OSError as error:
            self._socket.close()
            raise ControlError(f"{path} cannot be opened: {error.strerror}; run this as the server's user") from error
        self._lines = self._socket.makefile("rb")

    def call(self, command: str, **arguments: Any) -> Any:
        """Has the server do a command, and returns its result. Raises ControlError."""
        request = json.dumps({"command": command, "arguments": arguments})
        try:
            self._socket.sendall(request.encode("utf-8") + b"\n")
            line = self._lines.readline()
        except TimeoutError as error:
            raise ControlError("the server is running but does not answer") from error
        except OSError as error:
            raise ControlError(f"the connection to the server broke: {error.strerror}") from error
        if not line.endswith(b"\n"):
            raise ControlError("the server closed the connection without an answer")
        answer = json.loads(line)
        if "error" in answer:
            raise ControlError(answer["error"])
        return answer["result"]

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()
