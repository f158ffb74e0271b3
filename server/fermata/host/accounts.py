"""Accounts as they are in memory: what everybody who deals with one must know."""

from collections.abc import Iterator

from ..core.blocking import Blocklist
from ..core.roster import Roster
from ..xmpp.jid import JID
from .sessions import Session


class Account:
    """One account: its number in storage, its sessions, its roster, its blocklist.

    It is loaded when one of its sessions binds or something arrives for it, and dropped when it is idle.
    """

    __slots__ = ("blocklist", "jid", "number", "roster", "sessions", "spooled")

    def __init__(self, number: int, jid: JID, roster: Roster, blocklist: Blocklist, spooled: int = 0) -> None:
        self.number, self.jid, self.roster, self.blocklist = number, jid, roster, blocklist
        self.spooled = spooled  #: how many messages wait for it
        self.sessions: dict[str, Session] = {}  #: by resource

    def available(self) -> Iterator[Session]:
        """The sessions that have sent presence and not taken it back."""
        return (session for session in self.sessions.values() if session.priority is not None)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost if it is dropped from memory."""
        return not self.sessions
