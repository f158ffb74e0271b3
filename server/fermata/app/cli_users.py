"""`fermata user …`: accounts are added, removed, disabled, listed, imported, and given passwords."""

import argparse
import csv
from pathlib import Path
from typing import Any, Final

from ..xmpp.jid import JID
from .cli_command import Context, account_of
from .config import Config
from .errors import CommandError
from .passwords import ask_password, check_password, generate_password

#: The word, the server's command, what is said when it is done, and what it does.
_DEEDS: Final = (
    ("remove", "user-remove", "removed", "remove an account with everything in it; contacts and rooms are told"),
    ("disable", "user-disable", "disabled", "let nobody log in to an account; what arrives for it is kept"),
    ("enable", "user-enable", "enabled", "let its owner log in to a disabled account again"),
)


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `user` and what follows it."""
    user = commands.add_parser("user", help="accounts", parents=[global_options])
    actions = user.add_subparsers(required=True, metavar="ACTION")
    for name, run, text in (("add", _add, "make an account"), ("passwd", _passwd, "change a password")):
        parser = actions.add_parser(name, help=text, parents=[global_options])
        parser.add_argument("jid", metavar="JID")
        password = parser.add_mutually_exclusive_group()
        password.add_argument("--password", metavar="P", help="otherwise it is asked for, or read from standard input")
        password.add_argument("--generate", action="store_true", help="make one up and print it")
        parser.set_defaults(run=run)
    for name, command, done, text in _DEEDS:
        deed = actions.add_parser(name, help=text, parents=[global_options])
        deed.add_argument("jid", metavar="JID")
        deed.set_defaults(run=_do, command=command, done=done)
    several = actions.add_parser(
        "import", help="make the accounts of a CSV file: jid,password", parents=[global_options]
    )
    several.add_argument("file", metavar="FILE", type=Path)
    several.set_defaults(run=_import)
    listing = actions.add_parser("list", help="list accounts", parents=[global_options])
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="one domain's only")
    listing.add_argument("--disabled", action="store_true", help="only those that are disabled")
    listing.set_defaults(run=_list)


def _add(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    jid = _account(arguments.jid, config)
    with context.server(config) as server:
        if server.call("user-exists", jid=jid):  # before anybody is asked to invent a password
            raise CommandError(f"{jid} is there already")
        password = _password(arguments, jid)
        server.call("user-add", jid=jid, password=password)
    _say_password(arguments, context, jid, password, f"{jid} is ready to log in")
    return 0


def _passwd(arguments: argparse.Namespace, context: Context) -> int:
    jid = account_of(arguments.jid)
    with context.server() as server:
        if not server.call("user-exists", jid=jid):
            raise CommandError(f"there is no account {jid}")
        password = _password(arguments, jid)
        server.call("user-passwd", jid=jid, password=password)
    _say_password(arguments, context, jid, password, f"{jid} has a new password")
    return 0


def _do(arguments: argparse.Namespace, context: Context) -> int:
    jid = account_of(arguments.jid)
    with context.server() as server:
        server.call(arguments.command, jid=jid)
    context.output.line({"jid": jid}, f"{jid} is {arguments.done}")
    return 0


def _list(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    domains = [arguments.domain] if arguments.domain else config.server.domains
    with context.server(config) as server:
        lists = [server.call("user-list", domain=domain, is_disabled=arguments.disabled) for domain in domains]
    jids = [jid for each in lists for jid in each]
    context.output.rows(jids, ["Account"], [[jid] for jid in jids])
    return 0


def _import(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    rows = read_accounts(arguments.file, config)
    existing: list[JID] = []
    with context.server(config) as server:
        for jid, password in context.output.progress(rows, "Making accounts"):
            if server.call("user-exists", jid=jid):
                existing.append(jid)
            else:
                server.call("user-add", jid=jid, password=password)
    created = len(rows) - len(existing)
    text = f"{created} account{'s' * (created != 1)} made"
    if existing:
        text += f"; {len(existing)} there already, with the password as it was"
    context.output.line({"created": created, "existing": existing}, text)
    return 0


def read_accounts(path: Path, config: Config) -> list[tuple[JID, str]]:
    """The accounts and passwords of a CSV file, which may begin with `jid,password`.

    Raises CommandError that tells every line that is wrong: then nothing has been done, and the file can be put right.
    """
    accounts: dict[JID, str] = {}
    problems: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if not row or (reader.line_num == 1 and [cell.strip().lower() for cell in row] == ["jid", "password"]):
                    continue
                try:
                    jid, password = _account_row(row, config)
                    if jid in accounts:
                        raise CommandError(f"{jid} is there twice")
                    accounts[jid] = password
                except CommandError as error:
                    problems.append(f"{path}:{reader.line_num}: {error}")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} is no CSV file in UTF-8: {error}") from error
    if problems:
        raise CommandError("\n".join(problems))
    return list(accounts.items())


def _account_row(row: list[str], config: Config) -> tuple[JID, str]:
    if len(row) != 2:
        raise CommandError(f"expected jid,password, not {len(row)} columns")
    return _account(row[0].strip(), config), check_password(row[1])


def _account(text: str, config: Config) -> JID:
    jid = account_of(text)
    if jid.domain not in config.server.domains:
        known = ", ".join(config.server.domains)
        raise CommandError(f"{jid.domain} is none of this server's domains ({known})")
    return jid


def _password(arguments: argparse.Namespace, jid: JID) -> str:
    if arguments.generate:
        return generate_password()
    if arguments.password is not None:
        return check_password(arguments.password)
    return ask_password(jid)


def _say_password(arguments: argparse.Namespace, context: Context, jid: JID, password: str, text: str) -> None:
    if arguments.generate:
        context.output.line({"jid": jid, "password": password}, f"{text} with the password {password}")
    else:
        context.output.line({"jid": jid}, text)
