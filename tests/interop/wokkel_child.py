"""wokkel's client with its MUC client, in a process of its own (Twisted has one reactor for a process).

    python -m interop.wokkel_child JID PORT

It logs in with the password on the first line of its standard input. From then on each line is `[number, command,
arguments]` in JSON; it writes `{"answer": number, …}` for each, and an object for everything that happens by itself.
"""
# ruff: noqa: N802 (wokkel and Twisted prescribe these names)

import json
import sys
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet import reactor, stdio
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import FileLogObserver, LogLevel, formatEventAsClassicLogText, globalLogPublisher
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from twisted.words.protocols.jabber.jid import JID
from twisted.words.xish.domish import Element

from fermata.xmpp.wokkel import client, muc, xmppim

Tell = Callable[..., None]


class Presence(xmppim.PresenceProtocol):
    """Is available, and tells who else is."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def connectionInitialized(self) -> None:
        super().connectionInitialized()
        self.available()
        self._tell("logged in", jid=self.parent.jid.full())

    def availableReceived(self, presence: Any) -> None:
        self._tell("available", sender=presence.sender.full())

    def unavailableReceived(self, presence: Any) -> None:
        self._tell("unavailable", sender=presence.sender.full())


class Messages(xmppim.MessageProtocol):
    """Tells messages between two, and sends them."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def onMessage(self, message: Element) -> None:
        if message.getAttribute("type") != "groupchat":
            self._tell("message", sender=message["from"], body=str(message.body or ""))

    def say(self, to: JID, body: str) -> None:
        message = xmppim.Message(recipient=to, body=body)
        message.stanzaType = "chat"
        self.send(message.toElement())


class Rooms(muc.MUCClient):
    """Tells what happens in rooms."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def _in(self, event: str, room: Any, user: Any, **more: object) -> None:
        self._tell(event, room=room.roomJID.full(), nick=user.nick if user else "", **more)

    def userJoinedRoom(self, room: Any, user: Any) -> None:
        self._in("joined", room, user, role=user.role, affiliation=user.affiliation)

    def userLeftRoom(self, room: Any, user: Any) -> None:
        self._in("left", room, user)

    def receivedSubject(self, room: Any, user: Any, subject: str) -> None:
        self._in("subject", room, user, text=subject)

    def receivedGroupChat(self, room: Any, user: Any, message: Any) -> None:
        self._in("groupchat", room, user, body=message.body)

    def receivedHistory(self, room: Any, user: Any, message: Any) -> None:
        self._in("history", room, user, body=message.body)

    # -- what has no plain arguments or result

    def enter(self, room: JID, nick: str) -> Deferred[Any]:
        return self.join(room, nick).addCallback(lambda joined: {"nick": joined.nick, "locked": joined.locked})

    def settings(self, room: JID) -> Deferred[Any]:
        return self.getConfiguration(room).addCallback(lambda form: form.getValues())

    def members(self, room: JID) -> Deferred[Any]:
        return self.getMemberList(room).addCallback(lambda items: [item.entity.full() for item in items])

    def outcasts(self, room: JID) -> Deferred[Any]:
        return self.getBanList(room).addCallback(lambda items: [item.entity.full() for item in items])

    def make_members(self, room: JID, *jids: str) -> Deferred[Any]:
        return self.modifyAffiliationList(room, [JID(jid) for jid in jids], "member")

    def banish(self, room: JID, jid: str, reason: str) -> Deferred[Any]:
        return self.ban(room, JID(jid), reason)


class Commands(LineOnlyReceiver):
    """Standard input and output. Every command's first argument is the JID of a room or a person."""

    delimiter = b"\n"

    def __init__(self, jid: JID, port: int) -> None:
        self._jid, self._port = jid, port
        self._commands: dict[str, Callable[..., Any]] = {}
        self._service = Service()

    def lineReceived(self, line: bytes) -> None:
        if not self._commands:
            self._log_in(line.decode())
            return
        number, command, (address, *arguments) = json.loads(line)
        done = maybeDeferred(self._commands[command], JID(address), *arguments)
        done.addCallbacks(
            lambda result: self._write(answer=number, result=result if _is_plain(result) else None),
            lambda failure: self._write(answer=number, error=_reason(failure)),
        )

    def connectionLost(self, reason: Any = None) -> None:
        maybeDeferred(self._service.stopService).addBoth(lambda _: reactor.stop())

    def _log_in(self, password: str) -> None:
        rooms, messages = Rooms(self._tell), Messages(self._tell)
        self._commands = {
            "say": messages.say,
            "enter": rooms.enter,
            **{name: getattr(rooms, name) for name in ("settings", "members", "outcasts", "make_members", "banish")},
            **{name: getattr(rooms, name) for name in ("leave", "nick", "subject", "configure", "kick", "destroy")},
            "groupchat": rooms.groupChat,
            "whisper": rooms.chat,
        }
        self._service = client.XMPPClient(self._jid, password, "127.0.0.1", self._port)
        for protocol in (Presence(self._tell), messages, rooms):
            protocol.setHandlerParent(self._service)
        self._service.startService()

    def _tell(self, event: str, **more: object) -> None:
        self._write(event=event, **more)

    def _write(self, **line: object) -> None:
        self.sendLine(json.dumps(line).encode())


def _is_plain(result: object) -> bool:
    return isinstance(result, dict | list | str)


def _reason(failure: Failure) -> str:
    return str(getattr(failure.value, "condition", failure.value))


def main() -> None:
    jid, port = sys.argv[1:]
    errors = FileLogObserver(sys.stderr, _errors_only)
    globalLogPublisher.addObserver(errors)
    stdio.StandardIO(Commands(JID(jid), int(port)))
    reactor.run()


def _errors_only(event: Any) -> str | None:
    return formatEventAsClassicLogText(event) if event["log_level"] >= LogLevel.error else None


if __name__ == "__main__":
    main()
