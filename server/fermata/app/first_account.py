"""The first account: made at the first start, so that there is somebody to log in as."""

import os
import sys
from pathlib import Path
from typing import Final

from ..services.users import Users
from ..xmpp.jid import JID
from .config import Config
from .endpoints import tcp_port
from .passwords import generate_password

_LOCALPART: Final = "me"

_WORDS: Final = """
  This is the first start, so an account was made. It is shown only this once:

      address   {jid}
      password  {password}

  Log in with any XMPP client; the server is {where}.
  Other accounts: {program} user add SOMEBODY@{domain}
"""


async def make_first_account(config: Config, users: Users) -> str | None:
    """Makes an account if the first domain has none yet, and returns what to tell the operator of it.

    None is made where its password would be told to nobody, or to systemd's journal.
    """
    domain = config.server.domains[0]
    if _is_unread() or await users.registered(domain):
        return None
    jid, password = JID.of(_LOCALPART, domain), generate_password()
    await users.add(jid, password)
    where = ", or ".join(map(_in_words, config.c2s.listen or config.c2s.listen_direct_tls))
    return _WORDS.format(jid=jid, password=password, where=where, domain=domain, program=_program())


def _in_words(endpoint: str) -> str:
    """Where to connect to, as far as that is known here."""
    port = tcp_port(endpoint)
    return f"{port.interface or 'this machine'}, port {port.number}" if port is not None else endpoint


def _program() -> str:
    """The command line that was installed with this server, in a form that can be typed."""
    program = Path(sys.executable).with_name("fermata")
    if not program.exists():
        return "fermata"
    here = Path.cwd()
    return str(program.relative_to(here) if program.is_relative_to(here) else program)


def _is_unread() -> bool:
    """Whether standard error goes nowhere, or into the journal (systemd.exec, JOURNAL_STREAM)."""
    status = os.fstat(2)
    if os.path.samestat(status, os.stat(os.devnull)):
        return True
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def tell(words: str) -> None:
    """To the terminal alone: a password does not belong into a log, and twistd sends sys.stderr there."""
    if sys.__stderr__ is not None:
        print(words, file=sys.__stderr__, flush=True)
