"""A server that is down: its parts are put together, without a network, for as long as one command takes."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.threads import blockingCallFromThread

from ..storage.database import Database
from ..storage.errors import StorageError
from ..xmpp.errors import StanzaError
from .commands import stored_commands
from .config import Config
from .control import Commands, ServerDownError
from .data_directory import make_data_directory
from .errors import CommandError
from .parts import Parts

T = TypeVar("T")


class StoredServer:
    """Does what a running server would, as far as that makes sense (see `control.ControlClient`)."""

    def __init__(self, reactor: SelectReactor, commands: Commands) -> None:
        self._reactor, self._commands = reactor, commands

    def call(self, command: str, **arguments: Any) -> Any:
        """Does a command, and returns its result. Raises CommandError; ServerDownError if only a running one can."""
        act = self._commands.get(command)
        if act is None:
            raise ServerDownError("the server is not running, and only a running one can do that")
        return _wait(self._reactor, lambda: maybeDeferred(act, **arguments))


@contextmanager
def stored_server(config: Config) -> Iterator[StoredServer]:
    """The server of a configuration, whose database is made or brought up to date if need be. Raises CommandError."""
    make_data_directory(config.server.data_dir)
    with _running_reactor() as reactor:
        database: Database = _wait(reactor, lambda: _open(reactor, config))
        try:
            parts: Parts = _wait(reactor, lambda: _join(reactor, config, database))
            yield StoredServer(reactor, stored_commands(parts.services))
        finally:
            blockingCallFromThread(reactor, database.close)


async def _open(reactor: SelectReactor, config: Config) -> Database:
    return Database.open(config.storage.url, config.storage.durability.value, reactor, reactor.callFromThread)


async def _join(reactor: SelectReactor, config: Config, database: Database) -> Parts:
    return Parts(config, database, reactor, _spawn, _at_once)


def _spawn(work: Coroutine[Any, Any, None]) -> object:
    return Deferred.fromCoroutine(work)


def _at_once(work: Callable[[], T]) -> Awaitable[T]:
    return succeed(work())


@contextmanager
def _running_reactor() -> Iterator[SelectReactor]:
    """A reactor of our own: the program around it may have another, or run this twice."""
    reactor = SelectReactor()
    thread = Thread(target=reactor.run, kwargs={"installSignalHandlers": False})
    thread.start()
    try:
        yield reactor
    finally:
        reactor.callFromThread(reactor.stop)
        thread.join()


def _wait(reactor: SelectReactor, call: Callable[[], Awaitable[T]]) -> T:
    async def awaited() -> T:
        return await call()

    def begin() -> Deferred[T]:
        return Deferred.fromCoroutine(awaited())

    try:
        return blockingCallFromThread(reactor, cast(Callable[[], T], begin))  # which it returns when it has fired
    except StanzaError as error:
        raise CommandError(error.text or error.condition) from error
    except StorageError as error:
        raise CommandError(str(error)) from error
