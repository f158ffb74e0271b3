"""Passwords: asked for without echo, or made up."""

import getpass
import secrets
import sys
from typing import Final

from ..core.sasl.credentials import prepare_password
from .errors import CommandError

# Nothing that could be read as something else; five to a group are easily copied by hand.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 4
_GROUP_LETTERS: Final = 5


def generate_password() -> str:
    """A password that nobody guesses: 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))


def ask_password(jid: str) -> str:
    """Asks twice at a terminal; reads one line of what is piped in. Raises CommandError."""
    if not sys.stdin.isatty():
        return check_password(sys.stdin.readline().rstrip("\r\n"))
    password = check_password(getpass.getpass(f"Password for {jid}: "))
    if getpass.getpass("The same again: ") != password:
        raise CommandError("the two passwords are not the same")
    return password


def check_password(password: str) -> str:
    """The same password, if it can be one (RFC 4013, RFC 8265). Raises CommandError."""
    if not password:
        raise CommandError("the password is empty")
    try:
        prepare_password(password)
    except ValueError as error:
        raise CommandError("the password has characters that a password may not have") from error
    return password
