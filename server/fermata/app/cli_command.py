"""What every command of the command line is given."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..xmpp.jid import JID, JIDError
from .cli_output import Output
from .config import Config, load
from .control import ControlClient, ServerDownError
from .errors import CommandError


class Asked(Protocol):
    """A server that does what it is asked to: one that runs, or one that is down and only has its database."""

    def call(self, command: str, **arguments: Any) -> Any:
        """Has it do a command, and returns the result. Raises CommandError."""


#: Opens a server that is down.
OpenStored = Callable[[Config], AbstractContextManager[Asked]]

EXIT_TROUBLE = 1
EXIT_DOWN = 3


class Context(NamedTuple):
    """Where the configuration is, where answers go, and how to reach a server that is down."""

    config_path: Path
    output: Output
    open_stored: OpenStored

    def config(self) -> Config:
        """The configuration. Raises ConfigError."""
        return load(self.config_path)

    @contextmanager
    def server(self, config: Config | None = None) -> Iterator[Asked]:
        """The server, whether it runs or not. Raises ConfigError, CommandError."""
        config = config or self.config()
        try:
            client = ControlClient(config.server.data_dir)
        except ServerDownError:
            with self.open_stored(config) as stored:
                yield stored
        else:
            with client:
                yield client

    @contextmanager
    def running_server(self) -> Iterator[Asked]:
        """The server, which has to run. Raises ConfigError, CommandError; ServerDownError if it doesn't."""
        with ControlClient(self.config().server.data_dir) as client:
            yield client


def jid_of(text: str) -> JID:
    """An address that was given. Raises CommandError."""
    try:
        return JID.parse(text)
    except JIDError as error:
        raise CommandError(f"{text!r} is no JID: {error}") from error


def account_of(text: str) -> JID:
    """The bare JID of an account that was given. Raises CommandError."""
    jid = jid_of(text)
    if not jid.local or jid.resource:
        raise CommandError(f"{text!r} is no bare JID such as juliet@example.org")
    return jid
