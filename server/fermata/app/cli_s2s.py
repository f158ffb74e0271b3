"""`fermata s2s …`: how the ways to other servers are doing, and what is wrong with one."""

import argparse
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure

from ..net.tls import CertificateError
from ..xmpp.jid import JID
from .cli_command import EXIT_TROUBLE, Context, jid_of
from .config import Config
from .control import ControlClient, ServerDownError
from .errors import CommandError
from .s2s_examination import examination_alone

_COLUMNS: Final = ["From", "To", "State", "For", "Direction", "Proof", "Waiting", "Trouble"]
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `s2s` and what follows it."""
    s2s = commands.add_parser("s2s", help="other servers", parents=[global_options])
    actions = s2s.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="how the ways to them are doing", parents=[global_options])
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", type=_domain, help="to that one only")
    listing.set_defaults(run=_list)
    close = actions.add_parser("close", help="close the connections with one", parents=[global_options])
    close.add_argument("domain", metavar="DOMAIN", type=_domain)
    close.set_defaults(run=_close)
    test = actions.add_parser("test", help="how far we get with one, and what is wrong", parents=[global_options])
    test.add_argument("domain", metavar="DOMAIN", type=_domain)
    test.add_argument("--from", dest="local", metavar="DOMAIN", type=_domain, help="as which of our domains")
    test.set_defaults(run=_test)


def _domain(text: str) -> str:
    try:
        jid = jid_of(text)
    except CommandError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if jid != JID.parse(jid.domain):
        raise argparse.ArgumentTypeError(f"{text!r} is no domain")
    return jid.domain


def _list(arguments: argparse.Namespace, context: Context) -> int:
    with context.running_server() as server:
        links = server.call("s2s-list")
    if arguments.domain is not None:
        links = [each for each in links if each["remote"] == arguments.domain]
    now = time.time()
    rows = [
        [
            each["local"],
            each["remote"],
            each["state"],
            _duration(now - each["since"]),
            each["direction"],
            f"{each['proof']}{'' if each['encrypted'] else ', not encrypted'}" if each["direction"] else "",
            str(each["queued"]),
            each["trouble"],
        ]
        for each in links
    ]
    context.output.rows(links, _COLUMNS, rows)
    return 0


def _duration(seconds: float) -> str:
    length, unit = next(((each, unit) for each, unit in _UNITS if seconds >= each), _UNITS[-1])
    return f"{max(0, int(seconds // length))} {unit}"


def _close(arguments: argparse.Namespace, context: Context) -> int:
    with context.running_server() as server:
        ended = server.call("s2s-close", domain=arguments.domain)
    text = (
        f"{ended} connection{'s' * (ended != 1)} closed" if ended else f"there is no connection with {arguments.domain}"
    )
    context.output.line({"domain": arguments.domain, "closed": ended}, text)
    return 0 if ended else EXIT_TROUBLE


def _test(arguments: argparse.Namespace, context: Context) -> int:
    config, local = context.config(), arguments.local or ""
    if local and local not in config.certificate_names():
        raise CommandError(f"{local} is no domain of this server")
    try:
        with ControlClient(config.server.data_dir) as server:
            found = server.call("s2s-test", domain=arguments.domain, local=local)
    except ServerDownError:
        found = _test_alone(config, arguments.domain, local)
    rows = [[each["stage"], each["outcome"], each["text"], each["hint"]] for each in found["steps"]]
    context.output.rows(found, ["Step", "", "What was found", "What to do"], rows)
    return 0 if found["is_reached"] else EXIT_TROUBLE


def _test_alone(config: Config, domain: str, local: str) -> Any:
    """In this process: no server runs. Raises CommandError."""

    async def examine(reactor: Any) -> Any:
        return await examination_alone(config, reactor).run(domain, local)

    try:
        return _run(examine)
    except CertificateError as error:
        raise CommandError(str(error)) from error


def _run(work: Callable[[Any], Awaitable[Any]]) -> Any:
    """Runs it in a reactor of its own, until it is done."""
    reactor = SelectReactor()
    outcome: list[Any] = []

    async def begin() -> Any:
        return await work(reactor)

    def done(result: Any) -> None:
        outcome.append(result)
        reactor.callLater(0, reactor.stop)  # a connection that was just aborted is closed in the next turn

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(begin()).addBoth(done))
    reactor.run(installSignalHandlers=False)
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]
