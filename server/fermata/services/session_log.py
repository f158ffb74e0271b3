"""Sessions that outlive the process: what they leave on disk, and when (docs/design/0010-durable-sessions.md).

Entries are gathered while the reactor's turn lasts and written as one line: before a batch is committed that counts on
them, and before anything of that turn goes out to anybody.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Final, Protocol

from ..core.records import MessageArchived, MetaSaved, Step
from ..core.session_log import Entry, payload_entry
from ..host.origin import Clock
from ..host.registry import Sessions
from ..host.sessions import Session
from ..host.stores import Writer
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .session_trail import SessionTrail

_log = logging.getLogger(__name__)
COMMITTED: Final = "sessions committed"  #: in `meta`: the process and its newest batch that kept a promise
_SMALLEST: Final = 16_000_000  # bytes: a file that is smaller is not worth beginning another
_GROWTH: Final = 4  # how much larger it may become than what it began with
_COPIED_AT_ONCE: Final = 50  # sessions in one turn
_MEND_SECONDS: Final = 10.0


class LogFiles(Protocol):
    """Where lines go; see `storage.session_files`."""

    size: int

    def begin(self, lines: Iterable[Any]) -> None:
        """A new file instead of all others."""

    def go_on(self) -> None:
        """A new file beside the others."""

    def drop_older(self) -> None:
        """The others are not needed any more."""

    def append(self, entries: Iterable[Any]) -> None:
        """Writes a line. Raises OSError."""

    def close(self) -> None:
        """Nothing more will be written."""


class SessionLog:
    """Of all sessions. Until `begin`, nothing is written, and before `follow` nothing is noted."""

    def __init__(self, sessions: Sessions, writer: Writer, clock: Clock, run: str) -> None:
        self._sessions, self._writer, self._clock, self._run = sessions, writer, clock, run
        self._files: LogFiles | None = None
        self._entries: list[Any] = []
        self._trails: dict[int, SessionTrail] = {}
        self._queues: dict[JID, int] = {}  # the numbers of the sessions whose queue is noted
        self._numbers = count(1)
        self._last_payload, self._first_payload = 0, 1  # those before the first stand in no file of now
        self._promised = self._released = 0  # the newest tickets
        self._unproven = 0  # that of what no place in the archive can prove
        self._is_scheduled = self._is_asked = self._is_broken = self._is_copying = False
        self._largest = _SMALLEST
        self._copied = 0  # bytes

    # -- its life

    def follow(self) -> None:
        """From now on every session has a trail."""
        self._sessions.on_bind = self._attach

    def begin(self, files: LogFiles) -> None:
        """Writes down the sessions that there are, and from now on what becomes of them. Raises OSError."""
        self._files = files
        self._entries.clear()
        self._write_all(files)

    def close(self) -> None:
        """Writes what is left to be written."""
        self.flush()
        files, self._files = self._files, None
        if files is not None:
            files.close()

    def flush(self) -> None:
        """What was noted is on disk when this returns."""
        files = self._files
        if not self._entries or files is None:
            return
        self._is_scheduled = False
        entries, self._entries = self._entries, []
        if self._is_broken:
            return
        try:
            files.append(entries)
            if files.size > self._largest and not self._is_copying:
                self._renew(files)
        except OSError as error:
            self._break(error)

    def released(self, durable: int) -> None:
        """All that waited for the batches up to that one has gone to the sessions."""
        if self._promised > self._released:
            self._released = durable
            self._entries.append(("r", self._released))

    # -- see host.trail.Promises

    def to_sessions(self, step: Step, payload: Payload, to: JID, sessions: Sequence[JID]) -> None:
        """See Promises."""
        self._promise(step, payload, to, sessions)

    def to_each(self, step: Step, payload: Payload, recipients: Sequence[JID]) -> None:
        """See Promises."""
        self._promise(step, payload, None, recipients)

    def _promise(self, step: Step, payload: Payload, to: JID | None, sessions: Sequence[JID]) -> None:
        queues, ticket = self._queues, step.ticket
        if not queues or ticket <= self._writer.durable:
            return
        numbers = [queues[jid] for jid in sessions if jid in queues]
        if numbers:
            self._ask()
            seq = _place_of(step)
            self._entries.append(("i", ticket, self.number_of(payload), to, numbers, seq))
            self._promised = max(self._promised, ticket)
            if not seq:
                self._unproven = max(self._unproven, ticket)

    def _ask(self) -> None:
        """What is noted is to be written before the next commit."""
        if not self._is_asked:
            self._is_asked = True
            self._writer.before_commit(self._gather)

    # -- for trails

    def add(self, entry: tuple[Any, ...]) -> None:
        """Notes what need not be on disk before something of it goes out, or is counted for another server."""
        self._entries.append(entry)
        self._ask()

    def note(self, entry: tuple[Any, ...]) -> None:
        """Notes something that must be on disk with the next commit, and soon if there is none."""
        self._entries.append(entry)
        self._ask()
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.callLater(0, self.flush)

    def note_end(self, trail: SessionTrail) -> None:
        """A session is over as soon as what it has left is kept."""
        ticket = self._writer.ticket
        if ticket <= self._writer.durable:
            ticket = 0
        elif ticket != self._writer.next_ticket:
            ticket = self._writer.submit(Step([]))
        self.note(("e", trail.number, ticket))
        self._promised, self._unproven = max(self._promised, ticket), max(self._unproven, ticket)
        self._trails.pop(trail.number, None)
        if self._queues.get(trail.jid) == trail.number:
            del self._queues[trail.jid]

    def note_queue(self, trail: SessionTrail) -> None:
        """What is promised to this session is noted from now on."""
        self._queues[trail.jid] = trail.number

    def number_of(self, payload: Payload) -> int:
        """The number of a payload, which is noted when it is needed for the first time."""
        number = payload.noted
        if number < self._first_payload:
            self._last_payload += 1
            number = payload.noted = self._last_payload
            self._entries.append(payload_entry(number, payload))
            if payload.copy is not None:
                self._entries.append(("c", number, self.number_of(payload.copy)))
        return number

    @property
    def now(self) -> float:
        """Unix seconds."""
        return self._clock.seconds()

    # -- writing

    def _attach(self, session: Session) -> None:
        trail = SessionTrail(self, session, next(self._numbers))
        self._trails[trail.number] = trail
        trail.follow()

    def _gather(self) -> Step | None:
        self._is_asked = False
        self.flush()
        ticket = self._writer.next_ticket
        if self._files is None or self._unproven < ticket:
            return None
        return Step([MetaSaved(COMMITTED, f"{self._run} {ticket}")])

    def _write_all(self, files: LogFiles) -> None:
        self._first_payload = self._last_payload + 1
        files.begin(self._lines(list(self._trails.values())))
        self._largest = max(_SMALLEST, _GROWTH * files.size)

    def _lines(self, trails: list[SessionTrail]) -> Iterator[list[Entry]]:
        """What there is to be said of some sessions, a line for each."""
        for trail in trails:
            before, self._entries = self._entries, []
            trail.note_all()
            line, self._entries = self._entries, before
            if line:
                yield line

    def _renew(self, files: LogFiles) -> None:
        """Another file: each session is written into it in turn, then the older ones go."""
        files.go_on()
        self._first_payload = self._last_payload + 1
        self._is_copying, self._copied = True, 0
        self._clock.callLater(0, self._copy, list(self._trails.values()))

    def _copy(self, trails: list[SessionTrail]) -> None:
        files = self._files
        if files is None or self._is_broken:
            self._is_copying = False
            return
        now, later = trails[:_COPIED_AT_ONCE], trails[_COPIED_AT_ONCE:]
        self.flush()
        before = files.size
        try:
            for line in self._lines([trail for trail in now if trail.number in self._trails]):
                files.append(line)
        except OSError as error:
            self._break(error)
        self._copied += files.size - before
        if later or self._promised > self._released:
            self._clock.callLater(0 if later else 1, self._copy, later)
        else:
            files.drop_older()
            self._is_copying = False
            self._largest = max(_SMALLEST, _GROWTH * self._copied)

    def _break(self, error: OSError) -> None:
        _log.error("Sessions will not outlive this process, because their log can't be written: %s", error)
        self._is_broken = True
        self._clock.callLater(_MEND_SECONDS, self._mend)

    def _mend(self) -> None:
        if self._files is None:
            return
        try:
            self._write_all(self._files)
        except OSError:
            self._clock.callLater(_MEND_SECONDS, self._mend)
        else:
            self._is_broken = False
            self._entries.clear()
            _log.warning("The log of sessions is whole again")


def _place_of(step: Step) -> int:
    """A place in the archive that the step takes; 0 if it takes none."""
    for record in step.records:
        if record.__class__ is MessageArchived:
            return record.seq
    return 0
