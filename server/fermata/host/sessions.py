"""Sessions: bound resources, with a connection or, for a while, without one.

A connection is not a session. What goes to a session goes through `Session.send`, which knows whether a connection is
there, whether it keeps up, and whether stream management counts along.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from ..core.blocking import Blocklist
from ..core.carbons import Shown
from ..core.pending import Pending
from ..core.presence import DirectedPresence
from ..core.pubsub.capabilities import Caps
from ..core.records import Step
from ..core.release import ReleaseQueue
from ..core.stream_management import Inbound, Outbound
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError, StreamError
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import answerable, error_of
from .pipeline import FromClient, TakeAttached
from .stores import Writer
from .trail import Trail

_SHARE_WITHOUT_CONNECTION: Final = 2
_SHARE_OF_PRESENCES: Final = 10


class Link(Protocol):
    """A session's connection."""

    paused: bool  #: the peer does not keep up: write nothing now

    @property
    def has_backlog(self) -> bool:
        """Whether something that was written in an earlier turn is still in this process."""

    def write(self, xml: str) -> None:
        """Sends whole stanzas or other elements."""

    def send(self, payload: Payload, to: JID) -> None:
        """Sends a stanza."""

    def end(self, error: StreamError | None) -> None:
        """Closes the stream and the connection, with an error if there is one."""


class QueueLimits(NamedTuple):
    """How much may wait for one session that has a connection; without one, it is twice as much.

    Presences of different people are held in as many stanzas more, ten times over: whoever enters forty large rooms is
    sent all of them in one go, and does not read slowly for that.
    """

    stanzas: float
    characters: float


class Owner(Protocol):
    """The account that a session belongs to, as far as the session must know."""

    number: int
    blocklist: Blocklist


class Session:
    """One full JID (RFC 6120 §7): who it is, what it has told, what still waits for it."""

    def __init__(
        self,
        jid: JID,
        owner: Owner,
        from_client: FromClient,
        writer: Writer,
        new_id: Callable[[], str],
        limits: QueueLimits,
    ) -> None:
        self.jid, self.resource, self.owner = jid, jid.resource, owner
        self.link: Link | None = None
        self.presence: Element | None = None  #: as it was last broadcast, while available
        self.priority: int | None = None  #: of the available session; None before and after
        self.directed = DirectedPresence()
        self.attached: dict[JID, TakeAttached] = {}  #: rooms in which its account stands for it
        self.caps: Caps | None = None  #: what its last presence said about its client
        self.interests: frozenset[str] | None = None  #: of which nodes it wants to hear; None: it has not said
        self.wants_roster = False  #: it asked for the roster, so it gets pushes (RFC 6121 §2.1.6)
        self.wants_blocklist = False  #: likewise (XEP-0191 §3.2)
        self.wants_carbons = False  #: see Account.listens
        self.shown: Shown | None = None  #: what others have been shown of what it has sent
        self.inbound: Inbound | None = None  #: stream management, once enabled
        self.outbound: Outbound | None = None
        self.sm_id = ""
        self.is_over = False  #: nobody can resume it any more
        self.trail: Trail | None = None  #: what it leaves on disk
        self.queue_trail: Trail | None = None  #: the same, if its queue is to be found there as well
        self.overflowed: Callable[[Session], None] = _ignore  #: more waits for it than may
        self.attend: Callable[[Session], None] = _ignore  #: stream management has something to do
        self.arrived: Callable[[Session, list[int]], None] = _forget  #: these have left the spool
        self.refused: Callable[[Session, Element], None] = _alone  #: something it has sent was answered with this error
        self.counted: Callable[[Session], int] = _ticket  #: a stanza is dealt with; the batch that `h` must wait for
        self._from_client, self._writer, self.new_id = from_client, writer, new_id
        self._queue = ReleaseQueue(writer, self._refuse_step)
        self.pending = Pending()  #: what waits to be written
        self._must_wait = False  # something does already, or the client has to acknowledge what it got first
        self._limits = limits
        self._in_line: deque[Callable[[], None]] = deque()  # what to do with stanzas that wait their turn
        self._behind: list[Callable[[], None]] = []  # what to do once none waits
        self._holds = 0  # stanzas that are not dealt with yet
        self._position = 0
        self._held = False

    # -- towards the client

    def send(self, payload: Payload, to: JID) -> None:
        """Sends a stanza, now or as soon as a connection can take it."""
        link = self.link
        if link is None or link.paused or self._must_wait:
            self._wait(payload, to)
            return
        link.send(payload, to)
        if self.queue_trail is not None:
            self.queue_trail.written(payload, to)
        self._count(payload, to)

    def send_all(self, payloads: Sequence[Payload], to: JID) -> None:
        """Sends many stanzas at once: one write where the connection can take it."""
        link, outbound = self.link, self.outbound
        if link is None or link.paused or self._must_wait or (outbound is not None and outbound.room < len(payloads)):
            for payload in payloads:
                self.send(payload, to)
            return
        link.write("".join([payload.addressed(to) for payload in payloads]))
        trail = self.queue_trail
        for payload in payloads:
            if trail is not None:
                trail.written(payload, to)
            self._count(payload, to)

    def answer(self, stanza: Element) -> None:
        """Sends a stanza that was made for this session alone."""
        self.send(payload_of(stanza), self.jid)

    def drain(self) -> None:
        """Writes what waits, as far as the connection can take it and the client keeps acknowledging."""
        waiting, outbound, trail = self.pending, self.outbound, self.queue_trail
        # What is written can bring the connection to its end.
        while waiting and (link := self.link) is not None and not link.paused:
            if outbound is not None and outbound.is_full:
                return
            payload, to = waiting.take()
            link.send(payload, to)
            if trail is not None:
                trail.drained()
            self._count(payload, to)
        self._must_wait = bool(waiting) or (outbound is not None and outbound.is_full)

    def under_way(self) -> list[tuple[Payload, JID]]:
        """What the client has not got or not acknowledged, oldest first."""
        return [*([] if self.outbound is None else self.outbound.unacked()), *self.pending]

    @property
    def queued(self) -> tuple[int, int]:
        """How many stanzas wait to be written, and how many to be acknowledged."""
        return len(self.pending), 0 if self.outbound is None else self.outbound.unacked_count

    def leftovers(self) -> list[tuple[Payload, JID]]:
        """What is under way; the session is over, and forgets it."""
        left = self.under_way()
        self.pending.clear()
        self._must_wait = False
        # Of what waits its turn the client has not been told that it is handled: it has to send that again.
        self._in_line.clear()
        self.outbound = None
        return left

    def restore(self, outbound: Outbound, waiting: Pending) -> None:
        """Takes over the queue of the session with which an earlier process ended."""
        self.outbound, self.pending, self._must_wait = outbound, waiting, bool(waiting)

    def _count(self, payload: Payload, to: JID) -> None:
        outbound = self.outbound
        if outbound is not None:
            if outbound.sent(payload, to):
                self._must_wait = self._must_wait or outbound.is_full
                self.attend(self)
            return
        payload.has_arrived = True
        if payload.spooled:
            self.arrived(self, [payload.spooled])

    def _wait(self, payload: Payload, to: JID) -> None:
        waiting, is_away = self.pending, self.link is None and self.outbound is not None
        if not waiting.put(payload, to, is_away):
            return
        self._must_wait = True
        if self.queue_trail is not None:
            self.queue_trail.waits(payload, to, is_away)
        if self._is_too_much() and not self._thin():
            self.overflowed(self)

    def _is_too_much(self) -> bool:
        # A session that has lost its connection for this has some room left until the client comes back.
        share = 1 if self.link is not None else _SHARE_WITHOUT_CONNECTION
        waiting, limits = self.pending, self._limits
        stanzas = len(waiting) - min(waiting.presences, _SHARE_OF_PRESENCES * limits.stanzas)
        return stanzas > share * limits.stanzas or waiting.characters > share * limits.characters

    def _thin(self) -> bool:
        """Drops what can be asked for later, if that is enough: nobody leaves a busy room for having been away."""
        if self.outbound is None:
            return False
        # A client that reads, and acknowledges too slowly, would be no better off if it had to connect again.
        everything = self.link is not None and not self.link.paused
        self.pending.thin(everything)
        if self.queue_trail is not None:
            self.queue_trail.thinned(everything)
        return not self._is_too_much()

    # -- from the client

    @property
    def is_counting(self) -> bool:
        """See Origin.is_counting."""
        return self.inbound is not None

    def take(self, stanza: Element) -> None:
        """A stanza that the client sent. Raises StreamError for what no client may send."""
        inbound = self.inbound
        if inbound is None:
            self._from_client.take(stanza, self, self.owner.blocklist)
            return
        if self._holds:
            self._keep_in_line(partial(self.take, stanza))
            return
        self._position, self._held = inbound.begin(), False
        try:
            self._from_client.take(stanza, self, self.owner.blocklist)
        finally:
            # A stanza that ends the stream is dealt with by that: else all that follows a resumption would wait for it.
            if not self._held:
                inbound.complete(self._position, self.counted(self))

    def take_refused(self, stanza: Element, error: StanzaError) -> None:
        """A stanza that was too much to be read: it is answered, and counts as handled."""
        if self._holds:
            self._keep_in_line(partial(self.take_refused, stanza, error))
            return
        self.refuse(stanza, error)
        if self.inbound is not None:
            self.inbound.complete(self.inbound.begin(), self.counted(self))

    def hold(self) -> Callable[[], None]:
        """See Origin.hold.

        Until then, what a client with stream management sends waits its turn: if it were dealt with now, it could not
        be counted before this one is, and after a crash the client would send it again.
        """
        if self.inbound is None:
            return _nothing
        self._held = True
        self._holds += 1
        return partial(self._complete, self.inbound, self._position)

    def _complete(self, inbound: Inbound, position: int) -> None:
        self._holds -= 1
        if self._holds:
            return  # the same stanza is held for something else too: all others wait their turn
        inbound.complete(position, self.counted(self))
        try:
            while self._in_line and not self._holds:
                self._in_line.popleft()()
        except StreamError as error:
            self._in_line.clear()
            if self.link is not None:
                self.link.end(error)
        if not self._holds:
            behind, self._behind = self._behind, []
            for act in behind:
                act()

    def when_dealt_with(self, act: Callable[[], None]) -> None:
        """Calls `act` once no stanza is held, nor waits behind one that is: now, as a rule."""
        if self._holds:
            self._behind.append(act)
        else:
            act()

    def _keep_in_line(self, turn: Callable[[], None]) -> None:
        if len(self._in_line) >= self._limits.stanzas:
            raise StreamError("policy-violation", "too many stanzas wait for an earlier one")
        self._in_line.append(turn)

    def emit(self, ticket: int, step: Step | None, effect: Callable[..., None], *arguments: Any) -> None:
        """See Origin.emit."""
        self._queue.put(ticket, step, effect, *arguments)

    def refuse(self, stanza: Element, error: StanzaError) -> None:
        """See Origin.refuse."""
        if answerable(stanza):
            self._queue.put(0, None, self._tell, error_of(stanza, error))

    def _tell(self, error: Element) -> None:
        self.answer(error)
        if self.shown is not None:
            self.refused(self, error)

    def _refuse_step(self, step: Step) -> None:
        """What a stanza caused could not be kept: its sender must know, once, and nobody else."""
        stanza, step.stanza = step.stanza, None
        if stanza is not None and answerable(stanza):
            self.answer(error_of(stanza, StanzaError("internal-server-error", "it could not be stored", "wait")))


def _ignore(session: Session) -> None:
    """Nobody has asked to be told."""


def _ticket(session: Session) -> int:
    """What the stanza left is in there, if it left anything."""
    return session._writer.ticket


def _forget(session: Session, spooled: list[int]) -> None:
    """Likewise."""


def _alone(session: Session, error: Element) -> None:
    """Likewise."""


def _nothing() -> None:
    """Nothing was held."""
