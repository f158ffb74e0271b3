"""Streams with other servers that outlive their connections, and this process (XEP-0198 §5).

How far we got with what a peer sends is written in the same transaction as what it has brought about, and only what is
written is acknowledged. So it is known after a crash, too; what we had sent by then is not.
"""

import json
from collections.abc import Callable
from typing import Final

from ..core.records import Record, Step, ValueRemoved, ValueSaved
from ..core.s2s.pair import Pair
from ..core.s2s.resumable import Direction, Resumable, Resumables
from ..core.stream_management import Inbound
from ..host.federation import Connection
from ..host.origin import Clock
from ..host.stores import ValueStore, Writer
from ..xmpp.errors import StreamError

_SPACE: Final = "server streams"
_REMEMBERED_SECONDS: Final = 7 * 86_400.0
_EXPIRE_SECONDS: Final = 3_600.0
_SETTLE_SECONDS: Final = 0.05
_SETTLE_TRIES: Final = 100  #: what takes longer to be dealt with may come twice
_LONGEST_ID: Final = 400  #: characters of an id that another server has made


class LastingStreams:
    """All of them; with `is_on` false there are none."""

    def __init__(
        self, is_on: bool, values: ValueStore, writer: Writer, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._is_on, self._values, self._writer, self._clock, self._new_id = is_on, values, writer, clock, new_id
        self._all = Resumables()
        self._owner: int | None = None
        self._connections: dict[Resumable, Connection] = {}
        self._changed: dict[Resumable, None] = {}
        self._gone: list[Resumable] = []

    async def load(self, owner: int) -> None:
        """Takes up what the process before this one has left: `owner` is the entity in whose name it is stored."""
        stored = await self._values.values(owner, _SPACE)
        for key, text in sorted(stored.items(), key=lambda item: json.loads(item[1])[2]):
            opened_here, local, remote, id = key.split(" ", 3)
            proof, h, used_at = json.loads(text)
            stream = Resumable(Direction(Pair(local, remote), opened_here == "out"), id, proof, Inbound(h), used_at)
            if self._is_on:
                self._gone += self._all.add(stream)
            else:
                self._gone.append(stream)
        self._owner = owner
        if self._gone:
            self._writer.before_commit(self._gather)
        self._expire()

    def serves(self, connection: Connection) -> bool:
        """Whether a stream on that connection can be gone on with, or taken over. Raises StreamError at the start."""
        if self._is_on and self._owner is None:
            raise StreamError("resource-constraint", "this server is just starting")
        return self._is_on and connection.is_encrypted

    # -- which there are

    def new_id(self) -> str:
        """For a stream that a peer has opened."""
        return self._new_id()

    def begin(self, direction: Direction, id: str, inbound: Inbound, connection: Connection) -> Resumable | None:
        """A stream with that id begins on a connection; None if there is no remembering such an id."""
        if not id or len(id) > _LONGEST_ID:
            return None
        stream = Resumable(direction, id, connection.proof, inbound, self._clock.seconds())
        for older in self._all.add(stream):
            gone = self._drop(older)
            if gone is not None and older.direction == direction:
                gone.end_now(StreamError("conflict", "there are newer streams"))
        self._connections[stream] = connection
        self._note(stream)
        return stream

    def opened(self, pair: Pair) -> Resumable | None:
        """See Resumables."""
        return self._all.opened(pair)

    def accepted(self, pair: Pair, id: str, proof: str) -> Resumable | None:
        """See Resumables."""
        return self._all.accepted(pair, id, proof)

    def take_over(self, stream: Resumable, connection: Connection) -> None:
        """It goes on on that connection: an older one that still stands is ended."""
        older, self._connections[stream] = self._connections.get(stream), connection
        if older is not None and older is not connection:
            older.end_now(StreamError("conflict", "its stream goes on on another connection"))

    def is_on(self, stream: Resumable, connection: Connection) -> bool:
        """Whether it goes on on that connection."""
        return self._connections.get(stream) is connection

    def lost(self, stream: Resumable, connection: Connection) -> None:
        """That connection is gone."""
        if self.is_on(stream, connection):
            del self._connections[stream]

    def forget(self, stream: Resumable) -> None:
        """It is over."""
        self._all.discard(stream)
        self._drop(stream)

    def _drop(self, stream: Resumable) -> Connection | None:
        """It is not remembered any more; returns the connection that it has."""
        stream.is_over = True
        self._changed.pop(stream, None)
        self._ask_to_gather()
        self._gone.append(stream)
        return self._connections.pop(stream, None)

    def _expire(self) -> None:
        """Nobody comes back after so long."""
        before = self._clock.seconds() - _REMEMBERED_SECONDS
        for stream in [each for each in self._all if each.used_at < before and each not in self._connections]:
            self.forget(stream)
        self._clock.callLater(_EXPIRE_SECONDS, self._expire)

    # -- how far we got

    def counted(self, stream: Resumable) -> int:
        """A stanza of a peer's was dealt with: with which batch that is on disk."""
        if stream.is_over:
            return self._writer.ticket
        self._note(stream)
        return self._writer.next_ticket

    def all_counted(self, stream: Resumable) -> int:
        """With which batch all that was dealt with is; it comes now, even if there is nothing else to keep."""
        return self._writer.submit(Step([])) if stream in self._changed else self._writer.ticket

    def settle(self, stream: Resumable, then: Callable[[], None], tries: int = _SETTLE_TRIES) -> None:
        """Calls `then` once all that has come is counted, so that the peer does not send it again."""
        self.all_counted(stream)
        h = stream.inbound.advance(self._writer.durable)
        if tries and not stream.inbound.is_settled:
            self._clock.callLater(_SETTLE_SECONDS, self.settle, stream, then, tries - 1)
            return
        if not stream.inbound.is_settled:
            stream.inbound = Inbound(h)
        then()

    def _note(self, stream: Resumable) -> None:
        self._ask_to_gather()
        self._changed[stream], stream.used_at = None, self._clock.seconds()

    def _ask_to_gather(self) -> None:
        if not self._changed and not self._gone:
            self._writer.before_commit(self._gather)

    def _gather(self) -> Step:
        """What has changed since the last commit: in the same transaction as what it counts."""
        assert self._owner is not None
        owner = self._owner
        records: list[Record] = [ValueRemoved(owner, _SPACE, _key(stream)) for stream in self._gone]
        for stream in self._changed:
            text = json.dumps([stream.proof, stream.inbound.finished, stream.used_at])
            records.append(ValueSaved(owner, _SPACE, _key(stream), text))
        self._changed.clear()
        self._gone.clear()
        return Step(records)


def _key(stream: Resumable) -> str:
    (local, remote), opened_here = stream.direction
    return f"{'out' if opened_here else 'in'} {local} {remote} {stream.id}"
