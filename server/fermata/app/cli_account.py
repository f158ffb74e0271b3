"""`fermata account rooms JID`: in which rooms an account stands, with or without a client."""

import argparse
from typing import Any

from .cli_command import Context, account_of


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `account` and what follows it."""
    account = commands.add_parser("account", help="where an account is", parents=[global_options])
    actions = account.add_subparsers(required=True, metavar="ACTION")
    rooms = actions.add_parser("rooms", help="the rooms in which an account stands", parents=[global_options])
    rooms.add_argument("jid", metavar="JID")
    rooms.set_defaults(run=_rooms)


def _rooms(arguments: argparse.Namespace, context: Context) -> int:
    jid = account_of(arguments.jid)
    with context.running_server() as server:
        rooms = server.call("account-rooms", jid=jid)
    rows = [
        [
            each["room"],
            each["nick"],
            each["state"] + (f" ({each['why']})" if each["why"] else ""),
            "bookmarked" if each["bookmarked"] else "entered",
            ", ".join(each["clients"]),
        ]
        for each in rooms
    ]
    context.output.rows(rooms, ["Room", "Nickname", "State", "Wish", "Clients"], rows)
    return 0
