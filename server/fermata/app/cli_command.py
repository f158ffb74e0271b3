"""What every command of the command line is given."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from .accounts_access import Accounts
from .cli_output import Output
from .config import Config, load

#: Opens the accounts in the database of a server that is down.
StoredAccounts = Callable[[Config], AbstractContextManager[Accounts]]

EXIT_TROUBLE = 1
EXIT_DOWN = 3


class Context(NamedTuple):
    """Where the configuration is, where answers go, and how to reach the accounts of a server that is down."""

    config_path: Path
    output: Output
    stored_accounts: StoredAccounts

    def config(self) -> Config:
        """The configuration. Raises ConfigError."""
        return load(self.config_path)
