"""What is known of what may have been missed in a room: how far it was asked for, and what has to wait for it."""

from enum import Enum
from math import inf
from typing import Final, NamedTuple

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from .room_archive import Where

MOST_FALLS: Final = 3  #: then nothing is asked for any more: a message that does not reach one may be among it


class Phase(Enum):
    """How far the asking for what was missed has come."""

    DUE = "nothing is asked yet"
    TOLD = "the room tells its history, since one has entered"
    IN_LINE = "one waits for a turn to ask"
    ASKED = "the archive of the room is to answer"


class Held(NamedTuple):
    """Something that the room has said to all, and that has to wait."""

    stanza: Element
    payload: Payload
    sender: JID


class Repair:
    """Something may have been missed: until that is known and told, what the room says is `held` by its identity."""

    __slots__ = (
        "characters",
        "deadline",
        "falls",
        "has_history",
        "held",
        "id",
        "in_page",
        "is_joined",
        "is_met",
        "is_refused",
        "is_whole",
        "newest",
        "page",
        "pages",
        "phase",
        "reached",
        "results",
        "tries",
        "where",
    )

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.characters = 0  #: of what is held
        self.is_whole = True  #: whether all that came is held
        self.has_history = False  #: whether the room has told its history
        self.falls = 0  #: so often it was put out while it was told what it had missed
        self.is_refused = False  #: whether there is no archive, or none for this occupant
        self.begin()

    def begin(self, phase: Phase = Phase.DUE, deadline: float = inf) -> None:
        """Nothing that was asked until now counts any more."""
        self.phase, self.deadline = phase, deadline
        self.is_joined = False  #: whether the history begins with what was known
        self.id, self.in_page, self.results, self.pages, self.tries = "", 0, 0, 0, 0
        self.where: Where | None = None  #: what is asked of the archive
        self.page: dict[str, Held] = {}
        self.newest: dict[str, Held] | None = None  #: the end of the archive, if there is too much before it
        self.reached, self.is_met = "", False  #: up to where it was read; whether the newest begin there
