"""The way to another server for one pair: a connection if there is one, and what waits for it.

A fault is never an error into a room: whoever is concerned learns of it as an event (`LinkListener`).
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ..core.s2s.missed import Missed
from ..core.s2s.queue import Allowance, OutboundQueue, Waiting
from ..core.s2s.resumable import Resumable
from ..core.s2s.state import LinkState, Phase
from ..host.federation import Pair, Trouble
from ..host.origin import Timer
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .link_sleep import HOLD_SECONDS, LinkSleep
from .link_surroundings import Surroundings
from .server_trunk import ServerTrunk
from .undelivered import Undelivered

_EXPIRE_SECONDS: Final = 5.0  #: how often to look for what has waited long enough
_WIDEST: Final = 4  # bytes that a character has in UTF-8 at most
_FORGET_SECONDS: Final = 3600.0
_CONTACT_SECONDS: Final = 1.0  #: so often, at most, what comes from there does
_DEAD_SECONDS: Final = 60.0  #: so often, at most, somebody's stanza makes us try a dead one again


class LinkRow(NamedTuple):
    """One pair, for the operator; times are Unix seconds."""

    local: str
    remote: str
    state: str
    since: float
    direction: str
    address: str
    proof: str
    encrypted: bool
    managed: bool
    queued: int
    queued_characters: int
    unacked: int
    sent: int
    refused: int
    failures: int
    trouble: str


class ServerLink:
    """One pair; `answers` is whether senders here are told of what could not be handed over: rooms are not."""

    def __init__(self, pair: Pair, surroundings: Surroundings, allowance: Allowance, answers: bool) -> None:
        self.pair, self._around, self._answers = pair, surroundings, answers
        self.trunk: ServerTrunk | None = None
        self.state = LinkState(surroundings.clock.seconds())
        self.sent = self.failures = 0  #: stanzas; attempts
        self._undelivered = Undelivered(
            pair, surroundings.relayed, surroundings.spool, surroundings.listener, surroundings.answered, answers
        )
        self._queue = OutboundQueue(allowance)
        #: see Way
        self.sleep = LinkSleep(pair, surroundings, self._queue, self._undelivered, lambda: self.missed, self._use)
        self._tried_at = 0.0
        self._give_up: Callable[[], None] | None = None  # what ends the attempt that is under way
        self._again: Timer | None = None
        self._expiry: Timer | None = None
        self._is_closed = False
        self.missed: Missed | None = None  #: what is noted while the other server is out of reach

    def row(self) -> LinkRow:
        """How it is doing."""
        trunk, state, trouble = self.trunk, self.state, self.state.trouble
        connection = None if trunk is None else trunk.connection
        return LinkRow(
            *self.pair,
            state.phase.value,
            state.since,
            "" if connection is None else connection.direction,
            "" if connection is None else connection.address,
            "" if connection is None else connection.proof,
            connection is not None and connection.is_encrypted,
            trunk is not None and trunk.management.outbound is not None,
            len(self._queue),
            self._queue.characters,
            0 if trunk is None else trunk.unacked,
            self.sent,
            self._undelivered.count,
            self.failures,
            "" if trouble is None else trouble.text,
        )

    # -- what is for the other server

    def send(self, payload: Payload, to: JID) -> None:
        """Sends a stanza, now or as soon as there is a way."""
        trunk = self.trunk
        if self.missed is not None and self.missed.note(payload, to):
            return
        if trunk is not None and trunk.takes and not self._queue:
            self._write(trunk, payload, to)
            return
        self._wait(payload, to)
        if trunk is None:
            self._reach()

    def check(self) -> None:
        """Raises StanzaError if there is no use in sending anything."""
        if self.state.phase is Phase.DEAD:
            if self._around.clock.seconds() >= self._tried_at + _DEAD_SECONDS:
                self._reach()  # it may have come back, which the next one will know
            raise self._final()

    def drain(self) -> None:
        """Writes what waits, as far as the connection can take it."""
        trunk = self.trunk
        while trunk is not None and trunk is self.trunk and trunk.takes:
            entry = self._queue.pop()
            if entry is None:
                return
            self._write(trunk, entry.payload, entry.to)

    def _write(self, trunk: ServerTrunk, payload: Payload, to: JID) -> None:
        most = trunk.connection.stanza_bytes
        if most and len(payload.rest) > most // _WIDEST and len(payload.addressed(to).encode()) > most:
            # One of them would cost all others the connection (XEP-0478).
            error = StanzaError("policy-violation", f"{self.pair.remote} takes no stanzas of that size")
            self._undelivered.refuse(Waiting(payload, to, 0.0, self._answers), error)
            return
        self.sent += 1
        trunk.write(payload, to)

    def note_from_now(self, missed: Missed) -> None:
        """What rooms here can tell again is noted there, and does not wait, until they have told it."""
        if self.missed is not None:
            missed.go_on(self.missed)
        else:
            missed.begin((entry.payload, entry.to) for entry in self._queue)
        self.missed, doubtful = missed, self.sleep.doubtful
        self._queue.put_first(
            entry for entry in self._queue.clear() if entry in doubtful or not missed.note(entry.payload, entry.to)
        )

    def _wait(self, payload: Payload, to: JID) -> None:
        entry = Waiting(payload, to, self._around.clock.seconds(), self._answers)
        if not self._queue.put(entry):
            if self.trunk is not None and not self._answers:
                # Whose server reads so little is out of reach, and is told again what can be told again.
                self.trunk.connection.end_now(StreamError("connection-timeout", "you do not read what you are sent"))
                self.send(payload, to)
                return
            error = StanzaError("resource-constraint", f"too much waits for {self.pair.remote}")
            self._undelivered.refuse(entry, error)
        elif self._expiry is None:
            self._expiry = self._around.clock.callLater(_EXPIRE_SECONDS, self._expire)

    # -- its connection (see server_trunk.Way)

    def connected(self, trunk: ServerTrunk) -> None:
        """See Way. The first that was proven stays.

        An attempt of ours goes on beside a connection that was made there: the other side may by now have taken what
        comes of it for the way, and what it has sent on it would be in doubt.
        """
        if trunk.connection.direction == "out":
            self._give_up = None
        if self.trunk is not None:
            self.trunk.resumption.doubt()  # who has a way makes no other
            return
        stream = self.sleep.stream
        if not self.sleep.holds_back(trunk):
            self._use(trunk)
        elif stream is not None and stream.direction.opened_here:
            self._reach()
        else:
            self._forget_timer()

    def _use(self, trunk: ServerTrunk) -> None:
        if self.trunk is not None or self._is_closed:
            return
        was_broken, self.trunk = self.state.is_broken, trunk
        self.sleep.end(trunk)
        self._around.broken.discard(self.pair)
        self._forget_timer()
        self.state.connected(self._around.clock.seconds())
        self.drain()
        if self.trunk is not trunk:  # it was lost again at once
            return
        if self.missed is not None:
            self.missed.end()
        if was_broken:
            self._around.listener.up(self.pair)

    def lost(
        self,
        trunk: ServerTrunk,
        doubtful: list[tuple[Payload, JID]],
        trouble: Trouble,
        stream: Resumable | None,
        unacked: list[tuple[Payload, JID]],
    ) -> None:
        """See Way."""
        if self._is_closed:  # what may not have arrived is in the spool, or has been noted
            return
        now = self._around.clock.seconds()
        if stream is None or stream.is_over or self.trunk is not trunk:
            stream, doubtful = None, [*doubtful, *unacked]
        else:
            self.sleep.begin(stream, [Waiting(payload, to, now, self._answers) for payload, to in unacked])
        self._queue.put_first(entry for payload, to in doubtful if (entry := self._undelivered.again(payload, to, now)))
        if self.trunk is not trunk:
            self._lost_in_waiting(trunk, trouble)
            return
        self.trunk = None
        if self._queue and self._expiry is None:
            self._expiry = self._around.clock.callLater(_EXPIRE_SECONDS, self._expire)
        if not self._is_wanted():
            self.state.rest(now)
            return
        self.state.broke(trouble, now)
        self._around.broken.add(self.pair)
        self._around.listener.stalled(self.pair)
        if stream is not None and not stream.direction.opened_here and self._again is None:
            self._again = self._around.clock.callLater(HOLD_SECONDS, self._try_again)
        self._reach()

    def _lost_in_waiting(self, trunk: ServerTrunk, trouble: Trouble) -> None:
        """It never was the way; if we have made it, or rely on it, it might have become that."""
        self.sleep.lost(trunk)
        is_looking = self._give_up is not None or self._again is not None or self.sleep.is_waited_for
        if self.trunk is None and (trunk.connection.direction == "out" or not is_looking):
            self._forget_timer()
            self._failed(trouble)

    def lose(self, trouble: Trouble, missed: Missed) -> None:
        """There was a way, and it was lost, before this process has begun."""
        self.state.broke(trouble, self._around.clock.seconds())
        self._around.broken.add(self.pair)
        self.note_from_now(missed)

    @property
    def is_in_doubt(self) -> bool:
        """Whether there is anything that may not have arrived."""
        trunk = self.trunk
        return self.missed is not None or bool(self._queue) or (trunk is not None and trunk.unacked > 0)

    def missed_at_end(self, now: float) -> Missed:
        """What those in rooms here have missed if nothing more can be sent."""
        doubtful = [(entry.payload, entry.to) for entry in self._queue]
        if self.trunk is not None:
            doubtful = [*self.trunk.doubtful(self.pair), *doubtful]
        missed = Missed([to for _, to in doubtful], now)
        if self.missed is not None:
            missed.go_on(self.missed)
        self.sleep.note(missed)
        for payload, to in doubtful:
            missed.note(payload, to)
        return missed

    def contacted(self) -> None:
        """The other server has connected to us: if we could not get there, this is the time to try."""
        if self._again is None and self.state.phase is not Phase.DEAD:
            return
        wait = self._tried_at + _CONTACT_SECONDS - self._around.clock.seconds()
        self._forget_timer()
        if wait <= 0:
            self._reach()
        else:
            self._again = self._around.clock.callLater(wait, self._try_again)

    def is_forgotten(self, now: float) -> bool:
        """Whether nobody has needed it for so long that nothing about it is worth remembering."""
        is_idle = self.state.phase in (Phase.IDLE, Phase.DEAD) and now - self.state.since >= _FORGET_SECONDS
        return is_idle and not self._is_wanted() and self.trunk is None and self.missed is None and not self._queue

    def close(self) -> None:
        """Tries no more: the process is about to end."""
        self._is_closed = True
        self._forget_timer()
        if self._give_up is not None:
            self._give_up()
        self.sleep.close()
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    # -- making one

    def reach(self) -> None:
        """Connects because somebody depends on it, if it is not connected or trying."""
        if self.trunk is None:
            self._reach()

    def _reach(self) -> None:
        if self._give_up is not None or self._again is not None or self._is_closed:
            return
        self._tried_at = self._around.clock.seconds()
        self.state.connecting(self._tried_at)
        self._give_up = _nothing
        give_up = self._around.dialling.open(self.pair, self._failed)
        if self._give_up is _nothing:
            self._give_up = give_up

    def _failed(self, trouble: Trouble) -> None:
        self._give_up = None
        self.failures += 1
        if self.trunk is not None or self.sleep.make_do():
            return
        clock = self._around.clock
        now = clock.seconds()
        if not self._is_wanted():
            self._rest(now)
            return
        was = self.state.phase
        pause = self.state.failed(trouble, now, self._around.random())
        self._around.broken.add(self.pair)
        self._again = clock.callLater(pause, self._try_again)
        if was is Phase.CONNECTING:
            self._around.listener.stalled(self.pair)
        if self.state.phase is Phase.DEAD and was is not Phase.DEAD:
            self.sleep.give_up()
            for entry in self._queue.clear():
                self._undelivered.refuse(entry, self._final())
            self._around.listener.dead(self.pair)

    def _try_again(self) -> None:
        self._again = None
        if self._is_wanted():
            self._reach()
        else:
            self._rest(self._around.clock.seconds())

    def _rest(self, now: float) -> None:
        """Nobody needs it. What is known to be dead stays so until somebody asks, or comes from there."""
        if self.state.phase is not Phase.DEAD:
            self.state.rest(now)
            self._around.broken.discard(self.pair)

    def _forget_timer(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _is_wanted(self) -> bool:
        return bool(self._queue) or self.missed is not None or self._around.is_needed(self.pair)

    # -- the end of waiting

    def _expire(self) -> None:
        self._expiry = None
        # Who enters a room meanwhile is not told again what waits for him.
        for entry in self._queue.expire(self._around.clock.seconds(), only_iqs=self.missed is not None):
            error = StanzaError("remote-server-timeout", f"{self.pair.remote} can't be reached")
            self._undelivered.refuse(entry, error)
        if self._queue:
            self._expiry = self._around.clock.callLater(_EXPIRE_SECONDS, self._expire)

    def _final(self) -> StanzaError:
        trouble = self.state.trouble
        return StanzaError("remote-server-not-found", trouble.text if trouble is not None else "")


def _nothing() -> None:
    """There is nothing to be given up yet."""
