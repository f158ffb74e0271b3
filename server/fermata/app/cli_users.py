"""`fermata user …`: accounts are added, removed, listed, imported, and given passwords."""

import argparse
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..xmpp.jid import JID, JIDError
from .accounts_access import Accounts, reach_accounts
from .cli_command import Context
from .config import Config
from .errors import CommandError
from .passwords import ask_password, check_password, generate_password


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
    remove = actions.add_parser("remove", help="remove an account with everything in it", parents=[global_options])
    remove.add_argument("jid", metavar="JID")
    remove.set_defaults(run=_remove)
    several = actions.add_parser(
        "import", help="make the accounts of a CSV file: jid,password", parents=[global_options]
    )
    several.add_argument("file", metavar="FILE", type=Path)
    several.set_defaults(run=_import)
    listing = actions.add_parser("list", help="list accounts", parents=[global_options])
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="one domain's only")
    listing.set_defaults(run=_list)


def _add(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    jid = _account(arguments.jid, config)
    with _accounts(config, context) as accounts:
        if accounts.exists(jid):  # before anybody is asked to invent a password
            raise CommandError(f"{jid} is there already")
        password = _password(arguments, jid)
        accounts.create(jid, password)
    _say_password(arguments, context, jid, password, f"{jid} is ready to log in")
    return 0


def _passwd(arguments: argparse.Namespace, context: Context) -> int:
    jid = _bare_jid(arguments.jid)
    with _accounts(context.config(), context) as accounts:
        if not accounts.exists(jid):
            raise CommandError(f"there is no account {jid}")
        password = _password(arguments, jid)
        accounts.set_password(jid, password)
    _say_password(arguments, context, jid, password, f"{jid} has a new password")
    return 0


def _remove(arguments: argparse.Namespace, context: Context) -> int:
    jid = _bare_jid(arguments.jid)
    with _accounts(context.config(), context) as accounts:
        accounts.remove(jid)
    context.output.line({"jid": jid}, f"{jid} is removed")
    return 0


def _list(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    domains = [arguments.domain] if arguments.domain else config.server.domains
    with _accounts(config, context) as accounts:
        jids = [jid for domain in domains for jid in accounts.list(domain)]
    context.output.rows(jids, ["Account"], [[jid] for jid in jids])
    return 0


def _import(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    rows = read_accounts(arguments.file, config)
    existing: list[JID] = []
    with _accounts(config, context) as accounts:
        for jid, password in context.output.progress(rows, "Making accounts"):
            if accounts.exists(jid):
                existing.append(jid)
            else:
                accounts.create(jid, password)
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
    jid = _bare_jid(text)
    if jid.domain not in config.server.domains:
        known = ", ".join(config.server.domains)
        raise CommandError(f"{jid.domain} is none of this server's domains ({known})")
    return jid


def _bare_jid(text: str) -> JID:
    try:
        jid = JID.parse(text)
    except JIDError as error:
        raise CommandError(f"{text!r} is no JID: {error}") from error
    if not jid.local or jid.resource:
        raise CommandError(f"{text!r} is no bare JID such as juliet@example.org")
    return jid


@contextmanager
def _accounts(config: Config, context: Context) -> Iterator[Accounts]:
    with reach_accounts(config.server.data_dir, lambda: context.stored_accounts(config)) as accounts:
        yield accounts


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
