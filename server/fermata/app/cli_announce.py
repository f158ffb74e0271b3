"""`fermata announce` and `fermata motd`: what administrators tell everybody."""

import argparse
from typing import Any

from .cli_command import Context


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `announce` and `motd`."""
    announce = commands.add_parser("announce", help="send a message to everybody", parents=[global_options])
    announce.add_argument("text", metavar="TEXT")
    announce.add_argument("--all", action="store_true", help="to all accounts, not just to those that are online")
    _add_domain(announce)
    announce.set_defaults(run=_announce)
    motd = commands.add_parser("motd", help="the message of the day", parents=[global_options])
    _add_domain(motd)
    motd.set_defaults(run=_show)
    actions = motd.add_subparsers(metavar="ACTION")
    for name, run, text in (
        ("show", _show, "show it (also without any action)"),
        ("set", _set, "each account gets it once, when it next becomes available"),
        ("edit", _edit, "change it for those who have not got it yet"),
        ("delete", _delete, "have none any more"),
    ):
        action = actions.add_parser(name, help=text, parents=[global_options])
        if run in (_set, _edit):
            action.add_argument("text", metavar="TEXT")
        _add_domain(action)
        action.set_defaults(run=run)


def _add_domain(parser: argparse.ArgumentParser) -> None:
    # Left out after an action, it must not undo what stands before it.
    parser.add_argument("--domain", metavar="DOMAIN", default=argparse.SUPPRESS, help="one domain's only")


def _domains(arguments: argparse.Namespace, context: Context) -> list[str]:
    chosen = getattr(arguments, "domain", None)
    return [chosen] if chosen else list(context.config().server.domains)


def _announce(arguments: argparse.Namespace, context: Context) -> int:
    domains = _domains(arguments, context)
    with context.running_server() as server:
        told = sum(server.call("announce", domain=each, text=arguments.text, to_all=arguments.all) for each in domains)
    context.output.line({"accounts": told}, f"told to {told} account{'s' * (told != 1)}")
    return 0


def _show(arguments: argparse.Namespace, context: Context) -> int:
    domains = _domains(arguments, context)
    with context.server() as server:
        texts = {domain: server.call("motd", domain=domain) for domain in domains}
    context.output.rows(texts, ["Domain", "Message of the day"], [[domain, text] for domain, text in texts.items()])
    return 0


def _set(arguments: argparse.Namespace, context: Context) -> int:
    return _change(arguments, context, "motd-set", "is set", text=arguments.text)


def _edit(arguments: argparse.Namespace, context: Context) -> int:
    return _change(arguments, context, "motd-edit", "is changed", text=arguments.text)


def _delete(arguments: argparse.Namespace, context: Context) -> int:
    return _change(arguments, context, "motd-delete", "is deleted")


def _change(arguments: argparse.Namespace, context: Context, command: str, done: str, **text: str) -> int:
    domains = _domains(arguments, context)
    with context.server() as server:
        for domain in domains:
            server.call(command, domain=domain, **text)
    context.output.line({"domains": domains}, f"the message of the day of {', '.join(domains)} {done}")
    return 0
