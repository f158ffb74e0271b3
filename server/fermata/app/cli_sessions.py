"""`fermata sessions …`, `stop` and `restart`: who is connected, and how that ends."""

import argparse
import math
import time
from typing import Any, Final

from .cli_command import EXIT_TROUBLE, Context, jid_of

_SIZES: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `sessions`, `stop` and `restart`."""
    sessions = commands.add_parser("sessions", help="who is connected", parents=[global_options])
    sessions.set_defaults(run=_list, domain=None)
    actions = sessions.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", help="list the sessions (also without any action)", parents=[global_options])
    listing.add_argument("domain", metavar="DOMAIN", nargs="?", help="one domain's only")
    listing.set_defaults(run=_list)
    end = actions.add_parser("end", help="end a session, or all of an account", parents=[global_options])
    end.add_argument("jid", metavar="JID", help="with a resource, that session; without, all of the account")
    end.set_defaults(run=_end)
    for name, words, verb in (("stop", "shut the server down", "stops"), ("restart", "start it again", "starts again")):
        end = commands.add_parser(name, help=words, parents=[global_options])
        end.add_argument("--delay", metavar="SECONDS", type=seconds, default=0.0, help="how long to wait before")
        end.add_argument("--announce", metavar="TEXT", default="", help="what everybody who is online is told")
        end.set_defaults(run=_stop, command=name, verb=verb, away=0.0)
        if name == "stop":
            words = "how long it will be away, such as 45m or 2h; with this or --announce everybody leaves the rooms"
            end.add_argument("--for", metavar="TIME", type=duration, default=0.0, dest="away", help=words)


def _list(arguments: argparse.Namespace, context: Context) -> int:
    with context.running_server() as server:
        sessions = server.call("session-list")
    if arguments.domain is not None:
        sessions = [each for each in sessions if jid_of(each["jid"]).domain == arguments.domain]
    rows = [
        [
            each["jid"],
            _connection(each["until"]),
            "unavailable" if each["priority"] is None else f"priority {each['priority']}",
            str(each["rooms"]),
            str(each["queued"]),
        ]
        for each in sessions
    ]
    context.output.rows(sessions, ["Session", "Connection", "Presence", "Rooms", "Queued"], rows)
    return 0


def _connection(until: float | None) -> str:
    return "connected" if until is None else f"waits {max(0.0, until - time.time()):.0f} s more for its client"


def _end(arguments: argparse.Namespace, context: Context) -> int:
    jid = jid_of(arguments.jid)
    with context.running_server() as server:
        ended = server.call("session-end", jid=jid)
    text = f"{ended} session{'s' * (ended != 1)} of {jid.bare} ended" if ended else f"{jid} has no session"
    context.output.line({"jid": jid, "ended": ended}, text)
    return 0 if ended else EXIT_TROUBLE


def seconds(text: str) -> float:
    """A time to wait. Raises ValueError for what is none."""
    wanted = float(text)
    if not 0 <= wanted < math.inf:  # and so "nan" is none
        raise ValueError(text)
    return wanted


def duration(text: str) -> float:
    """A time in seconds, minutes, hours or days: 90, 90s, 45m, 2h, 1d. Raises ValueError for what is none."""
    size = _SIZES.get(text[-1:])
    return seconds(text) if size is None else seconds(text[:-1]) * size


def _stop(arguments: argparse.Namespace, context: Context) -> int:
    away = {"away": arguments.away} if arguments.away else {}
    with context.running_server() as server:
        server.call(arguments.command, delay=arguments.delay, text=arguments.announce, **away)
    when = f"{arguments.verb} in {arguments.delay:g} seconds" if arguments.delay else arguments.verb
    context.output.line({"delay_seconds": arguments.delay}, f"the server {when}")
    return 0
