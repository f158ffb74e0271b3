"""`fermata invite` and `fermata reports …`: who comes in, and whom somebody wants to see gone."""

import argparse
from datetime import datetime
from typing import Any

from .cli_command import Context, account_of


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `invite` and `reports`."""
    text = "make an invitation, with which somebody can make an account, once"
    invite = commands.add_parser("invite", help=text, parents=[global_options])
    invite.add_argument("--account", metavar="NAME", default="", help="the username; otherwise the guest chooses one")
    invite.add_argument("--domain", metavar="DOMAIN", help="otherwise the first one of the configuration")
    invite.add_argument("--contact", metavar="JID", help="an account here whose contact the guest becomes")
    invite.add_argument("--days", metavar="N", type=int, help="how long it is good; 0 for good")
    invite.set_defaults(run=_invite)
    reports = commands.add_parser("reports", help="what users report as spam or abuse", parents=[global_options])
    reports.set_defaults(run=_list)
    actions = reports.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", help="list the reports (also without any action)", parents=[global_options])
    listing.set_defaults(run=_list)
    dismiss = actions.add_parser("dismiss", help="forget reports that are dealt with", parents=[global_options])
    dismiss.add_argument("domain", metavar="DOMAIN")
    dismiss.add_argument("numbers", metavar="NUMBER", nargs="*", help="all, if none is named")
    dismiss.set_defaults(run=_dismiss)


def _invite(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    domain = arguments.domain or config.server.domains[0]
    contact = account_of(arguments.contact) if arguments.contact else None
    with context.server(config) as server:
        ticket = server.call("invite", domain=domain, localpart=arguments.account, inviter=contact, days=arguments.days)
    context.output.line(ticket, ticket["uri"])
    return 0


def _list(arguments: argparse.Namespace, context: Context) -> int:
    config = context.config()
    with context.server(config) as server:
        found = [
            {"domain": domain, **report}
            for domain in config.server.domains
            for report in server.call("report-list", domain=domain)
        ]
    columns = ["Domain", "Number", "When", "Reported", "By", "For", "Text"]
    rows = [
        [
            each["domain"],
            each["number"],
            datetime.fromtimestamp(each["stamp"]).astimezone().isoformat(" ", "seconds"),
            each["jid"],
            each["reporter"],
            each["reason"],
            " ".join(each["text"].split()),
        ]
        for each in found
    ]
    context.output.rows(found, columns, rows)
    return 0


def _dismiss(arguments: argparse.Namespace, context: Context) -> int:
    with context.server() as server:
        gone = server.call("report-dismiss", domain=arguments.domain, numbers=arguments.numbers)
    context.output.line({"dismissed": gone}, f"{gone} report{'s' * (gone != 1)} forgotten")
    return 0
