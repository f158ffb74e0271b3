"""Accounts as they are in memory: what everybody who deals with one must know."""

from collections.abc import Callable
from typing import Final

from ..core.archive_preferences import KEEP_ALL
from ..core.blocking import Blocklist
from ..core.pubsub.nodes import Nodes
from ..core.records import Lineage
from ..core.roster import Roster
from ..xmpp.jid import JID
from .sessions import Session

DISABLED: Final = "disabled"  #: of the value that a disabled account has: nobody can log in to it


class Account:
    """One account: its number in storage, its sessions, its roster, its blocklist, its nodes.

    It is loaded when one of its sessions binds or something arrives for it, and dropped when it is idle.
    """

    __slots__ = (
        "_reload",
        "blocklist",
        "is_disabled",
        "jid",
        "lineage",
        "listening",
        "nodes",
        "number",
        "preferences",
        "roster",
        "sessions",
        "spooled",
    )

    def __init__(
        self,
        number: int,
        jid: JID,
        roster: Roster,
        blocklist: Blocklist,
        spooled: dict[int, int],
        nodes: Nodes,
        reload: "Callable[[Account], None]",
    ) -> None:
        """`reload` makes what the account can change what it is on disk, after a change could not be kept."""
        self.number, self.jid, self.roster, self.blocklist = number, jid, roster, blocklist
        self._reload, self.lineage = reload, Lineage(self._start_anew)
        self.nodes = nodes  #: of publish-subscribe (XEP-0163)
        self.spooled = spooled  #: the messages that wait for it: how many characters each has, by its number
        self.is_disabled = False  #: nobody can log in to it: what arrives for it waits
        self.preferences = KEEP_ALL  #: what its archive keeps
        self.sessions: dict[str, Session] = {}  #: by resource
        self.listening: list[Session] = []  #: those that get copies of what others send and get (XEP-0280)

    def _start_anew(self) -> None:
        self.lineage = Lineage(self._start_anew)
        self._reload(self)

    def archives(self, peer: JID) -> bool:
        """Whether its archive keeps messages from and to `peer` (full JID); the account is a contact of its own."""
        if self.preferences is KEEP_ALL:
            return True
        is_contact = peer.bare == self.jid or self.roster.item(peer.bare) is not None
        return self.preferences.keeps(peer, is_contact)

    def listens(self, session: Session, wants_carbons: bool) -> None:
        """A session wants copies from now on, or wants none."""
        session.wants_carbons = wants_carbons
        self.listening = [each for each in self.sessions.values() if each.wants_carbons]

    def available(self) -> list[Session]:
        """The sessions that have sent presence and not taken it back, as they are now.

        Whoever is sent something can come to its end by it, so nobody goes through `sessions` itself and sends.
        """
        return [session for session in self.sessions.values() if session.priority is not None]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost if it is dropped from memory."""
        return not self.sessions
