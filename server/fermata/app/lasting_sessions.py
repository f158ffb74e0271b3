"""Sessions that last longer than the process, put together (docs/design/0010-durable-sessions.md)."""

import logging
from pathlib import Path

from ..core.session_log import Replay
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.registry import Sessions
from ..host.residents import Residents, Spawn
from ..host.sessions import Session
from ..net.turn_writes import TurnWrites
from ..services.messages import Messages
from ..services.session_log import COMMITTED, SessionLog
from ..services.session_restoring import SessionRestoring
from ..services.stream_management import StreamManagement
from ..storage.database import Database
from ..storage.session_files import Found, SessionFiles
from .config_tables import Config

_log = logging.getLogger(__name__)


class LastingSessions:
    """What the sessions leave for the process after this one, and what the one before has left.

    `log` keeps promises (`host.trail.Promises`); `run` names this process.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        sessions: Sessions,
        accounts: Residents[Account],
        messages: Messages,
        stream_management: StreamManagement,
        clock: Clock,
        spawn: Spawn,
        run: str,
    ) -> None:
        self._database, self._sessions, self._stream_management = database, sessions, stream_management
        self._resumes, self._run = config.stay.client_resume, run
        self.log = SessionLog(sessions, database.writer, clock, run)
        self.restored = SessionRestoring(
            accounts,
            sessions,
            stream_management,
            messages,
            database.handled,
            clock,
            spawn,
            self._resumes,
            config.room_services(),
        )

    def join(self, turn: TurnWrites) -> None:
        """What a commit has released goes out in the same turn, and not before it is noted for what went out."""
        turn.before = self.log.flush

        def released(durable: int) -> None:
            self.log.released(durable)
            turn.flush()

        self._database.writer.released = released

    async def restore(self, directory: Path) -> None:
        """Takes up what was left in that directory; from now on it is ours. Raises OSError, StorageError."""
        files = SessionFiles(directory, self._run, self._database.secret("name of the database", 8).hex())
        found = files.found()
        self.log.follow()
        if found is not None:
            replay = self._replay(found)
            taken = self._database.archived_at(replay.witnesses)
            await self.restored.restore(replay.finish(self._committed(found.run), taken))
        self.log.begin(files)

    def _replay(self, found: Found) -> Replay:
        replay = Replay()
        try:
            for line in found.lines:
                replay.apply(line)
        except (ValueError, LookupError, TypeError):
            _log.exception("the log of sessions makes no sense from some line on: sessions may lack what is there")
        return replay

    def _committed(self, run: str) -> int:
        """The newest batch of that process which kept a promise."""
        committed, _, ticket = self._database.noted(COMMITTED).partition(" ")
        return int(ticket) if committed == run else 0

    def freeze(self) -> None:
        """The process is about to end: that ends no session."""
        self._sessions.freeze()

    def last_words(self, session: Session) -> str | None:
        """What is left to be said to the client of a session that can be resumed after our end; else None."""
        return self._stream_management.last_words(session) if self._resumes else None
