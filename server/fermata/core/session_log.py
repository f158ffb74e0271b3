"""What the log of sessions says: its entries, and what they come to when they are read again.

An entry is a list of plain values that begins with a letter. Entries of one line were written together; `Replay`
applies them in order, to the same queues that they were noted of. With `n` for a session's number and `p` for a
payload's, they are:

    ["+", n, jid]                      there is a session; what was said of that number before is void
    ["s", n, presence, wants]          its presence (XML or null), and what it wants to be told
    ["d", n, key, jid]                 directed presence: a room and its occupant JID, or a contact twice; null: no more
    ["m", n, sm_id, window, h]         it can be resumed, and has acknowledged h; its queue follows
    ["l", n, time], ["f", n]           its connection is lost, found
    ["p", p, kind, rest, …]            a payload, as `payload_entry` writes it
    ["c", p, p]                        the second is the copy of the first for others of the account (XEP-0280)
    ["o", n, p, to]                    it was written; to: null is the session itself
    ["w", n, p, to, away]              it waits
    ["q", n]                           the first that waited was written
    ["x", n, everything]               what waits was thinned out
    ["a", n, h]                        the client has handled h
    ["i", ticket, p, to, [n, …], seq]  it will go to these once that batch is durable; to: null is each session itself;
                                       so it is if that place of the archive is taken (0: that tells nothing)
    ["r", ticket]                      everything of the batches so far has gone
    ["e", n, ticket]                   the session is over, once that batch is durable
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from ..xmpp.errors import StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .pending import Pending
from .stream_management import Outbound

Entry = list[Any]


def payload_entry(number: int, payload: Payload) -> tuple[Any, ...]:
    """The entry for a payload."""
    return (
        "p",
        number,
        payload.kind,
        payload.rest,
        payload.sender,
        payload.type,
        payload.archive_id,
        payload.stamp,
        payload.keep,
        payload.spooled,
        payload.has_arrived,
    )


class SavedSession:
    """A session as it was when the process ended. `away_since` is None if its client was connected."""

    def __init__(self, number: int, jid: JID) -> None:
        self.number, self.jid = number, jid
        self.presence: str | None = None
        self.wants: tuple[str, ...] = ()
        self.directed: dict[JID, JID] = {}
        self.sm_id, self.window = "", 0.0
        self.outbound, self.pending = Outbound(), Pending()
        self.away_since: float | None = None


class Replay:
    """Reads a log from its beginning. Raises ValueError or LookupError for entries that make no sense."""

    def __init__(self) -> None:
        self.sessions: dict[int, SavedSession] = {}
        self._payloads: dict[int, Payload] = {}
        self._promised: list[Entry] = []
        self._over: list[Entry] = []
        self._apply: dict[str, Callable[[Entry], object]] = {
            "+": self._begin,
            "p": self._payload,
            "c": self._copied,
            "i": self._promised.append,
            "r": self._released,
            "e": self._over.append,
        }

    def apply(self, entries: Iterable[Entry]) -> None:
        """Applies the entries of one line."""
        for entry in entries:
            code = entry[0]
            act = self._apply.get(code)
            if act is not None:
                act(entry)
            elif (session := self.sessions.get(entry[1])) is not None:  # else it has ended
                self._change(session, code, entry)

    @property
    def witnesses(self) -> list[int]:
        """Places of the archive: those that are taken prove that their batch is on disk."""
        return [seq for *_, seq in self._promised if seq]

    def finish(self, committed: int, taken: Collection[int] = ()) -> list[SavedSession]:
        """The sessions that there are. The batches up to `committed` are on disk, and those of the places in `taken`.

        What had been promised with them, and did not go out, waits for the sessions.
        """
        for entry in self._promised:
            _, ticket, number, to, sessions, seq = entry
            if seq in taken or (not seq and ticket <= committed):
                for session in filter(None, map(self.sessions.get, sessions)):
                    session.pending.put(self._payloads[number], _to(session, to), is_away=True)
        self._promised.clear()
        for _, number, ticket in self._over:
            if ticket <= committed:
                self.sessions.pop(number, None)
        self._over.clear()
        return list(self.sessions.values())

    def _begin(self, entry: Entry) -> None:
        _, number, jid = entry
        self.sessions[number] = SavedSession(number, JID.parse(jid))

    def _payload(self, entry: Entry) -> None:
        _, number, *fields, spooled, has_arrived = entry
        payload = self._payloads[number] = Payload(*fields)
        payload.spooled, payload.has_arrived = spooled, has_arrived

    def _copied(self, entry: Entry) -> None:
        _, number, copy = entry
        self._payloads[number].copy = self._payloads[copy]

    def _released(self, entry: Entry) -> None:
        _, released = entry
        self._promised[:] = [entry for entry in self._promised if entry[1] > released]

    def _change(self, session: SavedSession, code: str, entry: Entry) -> None:
        if code == "o":
            session.outbound.sent(self._payloads[entry[2]], _to(session, entry[3]))
        elif code == "w":
            session.pending.put(self._payloads[entry[2]], _to(session, entry[3]), bool(entry[4]))
        elif code == "q":
            session.outbound.sent(*session.pending.take())
        elif code == "a":
            _acked(session.outbound, entry[2])
        elif code == "x":
            session.pending.thin(entry[2])
        else:
            self._change_state(session, code, entry)

    def _change_state(self, session: SavedSession, code: str, entry: Entry) -> None:
        if code == "s":
            session.presence, session.wants = entry[2], tuple(entry[3])
        elif code == "d":
            key = JID.parse(entry[2])
            session.directed.pop(key, None)
            if entry[3] is not None:
                session.directed[key] = JID.parse(entry[3])
        elif code == "m":
            session.sm_id, session.window = entry[2], entry[3]
            session.outbound, session.pending = Outbound(entry[4]), Pending()
        elif code == "l":
            session.away_since = entry[2]
        elif code == "f":
            session.away_since = None
        else:
            raise ValueError(f"there is no entry of kind {code!r}")


def _to(session: SavedSession, to: str | None) -> JID:
    return session.jid if to is None else JID.parse(to)


def _acked(outbound: Outbound, h: int) -> None:
    try:
        outbound.acked(h)
    except StreamError as error:
        raise ValueError("more is acknowledged than was written") from error
