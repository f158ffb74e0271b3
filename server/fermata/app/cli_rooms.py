"""`fermata rooms …`: which rooms there are, who is in them, and why somebody is not."""

import argparse
from datetime import datetime
from typing import Any, Final

from ..xmpp.jid import JID
from .cli_command import Context, account_of, jid_of
from .errors import CommandError

#: What a journalled event says, by its name; the cause of one that is not here is a sentence of its own.
_EVENTS: Final = {
    "enter": "entered as {nick}",
    "exit": "was {nick}, and went out",
    "nick": "is {nick} now",
    "role": "has another role as {nick}",
    "start": "started again",
    "stop": "stopped",
}
_CAUSES: Final = {
    "created": "the room was made by that",
    "entered": "",
    "left": "by leaving",
    "kicked": "kicked by a moderator",
    "banned": "banned",
    "membership revoked": "not a member any more, in a room for members only",
    "members only": "the room became one for members only",
    "destroyed": "the room was destroyed",
    "shutdown": "the server stopped",
    "not kept": "the server had stopped, and keeps nobody over that",
    "not back after a restart": "his session did not come back after the server had stopped",
    "stop": "whoever was in the room still was",
    "crash": "it had been killed, or had crashed; whoever was in the room still was",
}
#: What stands before the condition of an error that ended somebody's time in a room.
_ERRORS: Final = {
    "undeliverable: ": "what the room sent him came back",
    "unverified: ": "asked after a start whether he was still there, his side said no",
}


def add_parser(commands: Any, global_options: argparse.ArgumentParser) -> None:
    """Adds `rooms` and what follows it."""
    rooms = commands.add_parser("rooms", help="rooms", parents=[global_options])
    actions = rooms.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list all rooms, hidden ones included", parents=[global_options])
    listing.add_argument("service", metavar="SERVICE", nargs="?", help="those of one room service only")
    listing.set_defaults(run=_list)
    occupants = actions.add_parser("occupants", help="list who is in a room", parents=[global_options])
    occupants.add_argument("room", metavar="ROOM")
    occupants.set_defaults(run=_occupants)
    destroy = actions.add_parser("destroy", help="destroy a room; those in it are told", parents=[global_options])
    destroy.add_argument("room", metavar="ROOM")
    destroy.add_argument("--reason", metavar="TEXT", default="", help="what they are told")
    destroy.set_defaults(run=_destroy)
    why = actions.add_parser("why", help="why somebody is, or is not, in a room", parents=[global_options])
    why.add_argument("user", metavar="USER", help="the bare JID of who is asked about")
    why.add_argument("room", metavar="ROOM")
    why.set_defaults(run=_why)


def _list(arguments: argparse.Namespace, context: Context) -> int:
    with context.server() as server:
        rooms = server.call("room-list", domain=arguments.service or "")
    rows = [
        [
            each["jid"],
            str(each["occupants"]),
            "public" if each["is_public"] else "hidden",
            "persistent" if each["is_persistent"] else "temporary",
            each["name"],
        ]
        for each in rooms
    ]
    context.output.rows(rooms, ["Room", "Occupants", "Listed", "Kept", "Name"], rows)
    return 0


def _occupants(arguments: argparse.Namespace, context: Context) -> int:
    room = _room(arguments.room)
    with context.server() as server:
        occupants = server.call("room-occupants", room=room)
    rows = [
        [each["nick"], each["jid"], each["affiliation"], each["role"], _time(each["entered"]), _state(each)]
        for each in occupants
    ]
    context.output.rows(occupants, ["Nickname", "Session", "Affiliation", "Role", "Since", "State"], rows)
    return 0


def _destroy(arguments: argparse.Namespace, context: Context) -> int:
    room = _room(arguments.room)
    with context.server() as server:
        told = server.call("room-destroy", room=room, reason=arguments.reason)
    context.output.line({"room": room, "sessions": told}, f"{room} is destroyed; {told} in it")
    return 0


def _why(arguments: argparse.Namespace, context: Context) -> int:
    user, room = account_of(arguments.user), _room(arguments.room)
    with context.server() as server:
        lines = server.call("room-story", room=room, user=user)
        present = [each for each in server.call("room-occupants", room=room) if JID.parse(each["jid"]).bare == user]
    found = {"user": user, "room": room, "present": present, "story": lines}
    told = [f"{_time(line['stamp'])}  {words_of(line)}" for line in lines] or [f"{user} has never been in {room}"]
    if present:
        told += [f"{user} is in {room} now, as {each['nick']} with {each['jid']}{_doubt(each)}" for each in present]
    elif lines:
        told.append(f"{user} is not in {room} now")
    context.output.line(found, "\n".join(told))
    return 0


def words_of(line: dict[str, Any]) -> str:
    """What a line of a room's journal says, as a sentence."""
    event, cause = line["event"], line["cause"]
    who = "the server" if event in ("start", "stop") else line["jid"]
    happened = _EVENTS.get(event, event).format(nick=line["nick"])
    why = _CAUSES.get(cause, cause)
    for prefix, words in _ERRORS.items():
        if cause.startswith(prefix):
            why = f"{words}: {cause.removeprefix(prefix)}"
    return f"{who} {happened}" + (f" ({why})" if why else "")


def _state(occupant: dict[str, Any]) -> str:
    """What is known of an occupant, in a word and a time."""
    since, cursor = occupant["state_since"], occupant["cursor"]
    told = f"{occupant['state']} since {_time(since)}" if since else str(occupant["state"])
    return f"{told}, from {cursor} on" if cursor else told


def _doubt(occupant: dict[str, Any]) -> str:
    since = _time(occupant["state_since"])
    if occupant["state"] == "limbo":
        return f"; that server is out of reach since {since}, and is told what it misses when it is back"
    if occupant["state"] == "unverified":
        return f"; nothing was heard of that session since {since}, when the server started or that one was back"
    return ""


def _room(text: str) -> JID:
    room = jid_of(text)
    if not room.local or room.resource:
        raise CommandError(f"{text!r} is no room such as verona@conference.example.org")
    return room


def _time(stamp: float) -> str:
    """In the time zone of whoever looks."""
    return datetime.fromtimestamp(stamp).astimezone().isoformat(" ", "seconds")
