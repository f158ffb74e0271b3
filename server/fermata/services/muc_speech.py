"""How what rooms say goes out: to sessions here at once, to all others the way of all stanzas."""

from collections.abc import Callable

from ..core.muc.effects import Flood, Send
from ..core.records import Record, Step
from ..host.registry import Sessions
from ..host.router import Router
from ..host.trail import NoPromises, Promises
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .messages import Messages


class RoomSpeech:
    """Of the rooms of one service; `awaited` tells sessions that may still come back after a start."""

    def __init__(self, messages: Messages, router: Router, sessions: Sessions, awaited: Callable[[JID], bool]) -> None:
        self._messages, self._router, self._sessions, self._is_awaited = messages, router, sessions, awaited
        self.promises: Promises = NoPromises()  #: told of what will be sent once it is kept

    def kept(self, sends: list[Send | Flood]) -> tuple[list[Send | Flood], list[Record]]:
        """What is to be sent, and what is kept of it: private messages, by the accounts here that get them.

        Each account has one copy of it, and one place in its archive.
        """
        if not any(isinstance(send, Send) and _is_private(send.payload) for send in sends):
            return sends, []
        copies: list[Send | Flood] = []
        records: list[Record] = []
        for send in sends:
            if isinstance(send, Flood) or not _is_private(send.payload):
                copies.append(send)
                continue
            accounts: dict[JID, list[JID]] = {}
            for to in send.to:
                accounts.setdefault(to.bare, []).append(to)
            for sessions in accounts.values():
                present = self._sessions.get(sessions[0]) is not None
                payload, kept = self._messages.keep_from_room(send.payload, sessions) if present else (send.payload, [])
                copies.append(Send(payload, sessions))
                records += kept
        return copies, records

    def promise(self, step: Step, sends: list[Send | Flood]) -> None:
        """These are sent once that step is kept."""
        for send in sends:
            if isinstance(send, Flood):
                for payload in send.payloads:
                    self.promises.to_each(step, payload, (send.to,))
            else:
                self.promises.to_each(step, send.payload, send.to)

    def say(self, sends: list[Send | Flood]) -> None:
        """Sends all that."""
        session_of = self._sessions.get
        for send in sends:
            if isinstance(send, Flood):
                session = session_of(send.to)
                if session is not None and not session.owner.blocklist.entries:
                    session.send_all(send.payloads, send.to)
                else:
                    for payload in send.payloads:
                        self._send_one(payload, send.to)
                continue
            payload, recipients = send
            for to in recipients:
                session = session_of(to)
                if session is not None and not session.owner.blocklist.entries:
                    session.send(payload, to)
                else:
                    self._send_one(payload, to)

    def _send_one(self, payload: Payload, to: JID) -> None:
        """To somebody without a session here, or who has blocked its sender: then it goes the way of all stanzas."""
        session = self._sessions.get(to)
        if session is not None and not session.owner.blocklist.blocks(JID.parse(payload.sender)):
            session.send(payload, to)
        elif payload.type != "groupchat" or not self._is_awaited(to):
            self._router.deliver(payload, to)


def _is_private(payload: Payload) -> bool:
    return payload.kind == "message" and payload.type in ("", "normal", "chat")
