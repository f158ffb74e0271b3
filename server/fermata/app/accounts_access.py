"""How the command line reaches the accounts: through the running server, or in the database of a stopped one."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from ..xmpp.jid import JID
from .control import Commands, ControlClient, ServerDownError
from .errors import CommandError


class AccountsError(CommandError):
    """A change to an account was refused."""


class Accounts(Protocol):
    """The accounts, for one caller who waits. Every method raises CommandError."""

    def create(self, jid: JID, password: str) -> None:
        """Makes an account. Refused if it exists."""

    def remove(self, jid: JID) -> None:
        """Removes an account and everything that it owns. Refused if there is none."""

    def set_password(self, jid: JID, password: str) -> None:
        """Changes a password. Refused if there is no such account."""

    def list(self, domain: str) -> list[str]:
        """The bare JIDs of a domain's accounts, in order."""

    def exists(self, jid: JID) -> bool:
        """Whether there is such an account."""


class RunningAccounts(Protocol):
    """The same inside the running server, where nobody may wait."""

    def create(self, jid: JID, password: str) -> Awaitable[None]:
        """Makes an account. Refused if it exists."""

    def remove(self, jid: JID) -> Awaitable[None]:
        """Removes an account and everything that it owns, and ends its sessions. Refused if there is none."""

    def set_password(self, jid: JID, password: str) -> Awaitable[None]:
        """Changes a password. Refused if there is no such account."""

    def list(self, domain: str) -> Awaitable["list[str]"]:
        """The bare JIDs of a domain's accounts, in order."""

    def exists(self, jid: JID) -> Awaitable[bool]:
        """Whether there is such an account."""


def account_commands(accounts: RunningAccounts) -> Commands:
    """What the running server offers on its control socket, for `ControlAccounts` at the other end."""

    def with_password(change: Callable[[JID, str], Awaitable[None]]) -> Callable[[str, str], Any]:
        return lambda jid, password: change(JID.parse(jid), password)

    return {
        "user-add": with_password(accounts.create),
        "user-passwd": with_password(accounts.set_password),
        "user-remove": lambda jid: accounts.remove(JID.parse(jid)),
        "user-list": lambda domain: accounts.list(domain),
        "user-exists": lambda jid: accounts.exists(JID.parse(jid)),
    }


class ControlAccounts:
    """The accounts of the running server, asked over its control socket."""

    def __init__(self, client: ControlClient) -> None:
        self._client = client

    def create(self, jid: JID, password: str) -> None:
        """Makes an account. Refused if it exists."""
        self._client.call("user-add", jid=jid, password=password)

    def remove(self, jid: JID) -> None:
        """Removes an account and everything that it owns. Refused if there is none."""
        self._client.call("user-remove", jid=jid)

    def set_password(self, jid: JID, password: str) -> None:
        """Changes a password. Refused if there is no such account."""
        self._client.call("user-passwd", jid=jid, password=password)

    def list(self, domain: str) -> list[str]:
        """The bare JIDs of a domain's accounts, in order."""
        return list(self._client.call("user-list", domain=domain))

    def exists(self, jid: JID) -> bool:
        """Whether there is such an account."""
        return bool(self._client.call("user-exists", jid=jid))


@contextmanager
def reach_accounts(data_dir: Path, stored: Callable[[], AbstractContextManager[Accounts]]) -> Iterator[Accounts]:
    """The accounts of the server with that data directory; `stored` opens them in the database if it is down."""
    try:
        client = ControlClient(data_dir)
    except ServerDownError:
        with stored() as accounts:
            yield accounts
    else:
        with client:
            yield ControlAccounts(client)
