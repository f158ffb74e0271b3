"""Starting again in the same process: what runs the server sees neither its end nor a beginning."""

import os
import sys
from collections.abc import Mapping

from .errors import CommandError


def check_can_start_again(environment: Mapping[str, str]) -> None:
    """Raises CommandError where somebody else holds the sockets: a new program in this process would not have them."""
    if "LISTEN_FDS" in environment:
        raise CommandError("systemd holds the sockets of this server: use systemctl restart")


def start_again() -> None:
    """Puts the program in its own place, started as it was; does not return. Everything must be closed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
