"""The accounts of a server that is down: its database is opened for as long as one command takes."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.threads import blockingCallFromThread

from ..core.sasl.credentials import ScramKeys
from ..storage.database import Database
from ..storage.errors import StorageError
from ..xmpp.jid import JID
from .accounts_access import AccountsError, RunningAccounts
from .config import Config
from .kept_accounts import DeriveKeys, KeptAccounts

T = TypeVar("T")


class StoredAccounts:
    """Accounts that live in a reactor in another thread, for a caller who waits."""

    def __init__(self, reactor: SelectReactor, accounts: RunningAccounts) -> None:
        self._reactor, self._accounts = reactor, accounts

    def create(self, jid: JID, password: str) -> None:
        """Makes an account. Refused if it exists."""
        _wait(self._reactor, lambda: self._accounts.create(jid, password))

    def remove(self, jid: JID) -> None:
        """Removes an account and everything that it owns. Refused if there is none."""
        _wait(self._reactor, lambda: self._accounts.remove(jid))

    def set_password(self, jid: JID, password: str) -> None:
        """Changes a password. Refused if there is no such account."""
        _wait(self._reactor, lambda: self._accounts.set_password(jid, password))

    def list(self, domain: str) -> list[str]:
        """The bare JIDs of a domain's accounts, in order."""
        return _wait(self._reactor, lambda: self._accounts.list(domain))

    def exists(self, jid: JID) -> bool:
        """Whether there is such an account."""
        return _wait(self._reactor, lambda: self._accounts.exists(jid))


@contextmanager
def stored_accounts(config: Config) -> Iterator[StoredAccounts]:
    """The accounts in the configured database, which is made or brought up to date if need be. Raises CommandError."""
    try:
        config.server.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AccountsError(f"the data directory {config.server.data_dir} cannot be made: {error.strerror}") from error
    with _running_reactor() as reactor:
        database: Database = _wait(reactor, lambda: _open(reactor, config))
        try:
            accounts = KeptAccounts(database.entities, database.accounts, database.writer, _at_once)
            yield StoredAccounts(reactor, accounts)
        finally:
            blockingCallFromThread(reactor, database.close)


async def _open(reactor: SelectReactor, config: Config) -> Database:
    return Database.open(config.storage.url, config.storage.durability.value, reactor, reactor.callFromThread)


async def _at_once(derive: DeriveKeys) -> list[ScramKeys]:
    return derive()


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
    except StorageError as error:
        raise AccountsError(str(error)) from error
