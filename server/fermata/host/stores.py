"""What storage must offer to the layers inside: one writer, and reads by subject.

Writes are records (`core.records`) handed to the writer in steps. Reads are coroutines: an embedded database answers
without suspending, a remote one from a pool of threads. A read sees everything that was submitted before it.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol

from ..core.archive_answer import Ends
from ..core.archive_query import Selection
from ..core.pubsub.nodes import Stored
from ..core.records import InviteOwed, Journalled, MessageSpooled, OccupancySaved, PushSaved, Step
from ..core.release import ReleaseQueue
from ..core.sasl.credentials import ScramKeys
from ..xmpp.jid import JID


class Writer(Protocol):
    """Group commit: steps go into the open batch; `durable` is the number of the newest batch on disk."""

    durable: int

    @property
    def ticket(self) -> int:
        """The batch that holds what was submitted last: the open one, or `durable` if nothing is waiting."""

    @property
    def next_ticket(self) -> int:
        """The batch that will hold what is submitted next: the open one, or the one after `ticket`."""

    def submit(self, step: Step) -> int:
        """Puts a step into the open batch and returns that batch's number: the step's ticket from now on."""

    def before_commit(self, gather: Callable[[], Step | None]) -> None:
        """Asks once, right before the next commit, for a step that must be in it (`h` counters).

        By itself it makes no commit.
        """

    def wait(self, queue: ReleaseQueue) -> None:
        """Calls `queue.advance(durable)` after the next commit."""


class SettledWriter(Writer, Protocol):
    """A writer that can be waited for."""

    async def settled(self) -> None:
        """Returns when everything that was submitted is committed, or has failed."""


class RoomRow(NamedTuple):
    """A room as it is stored."""

    number: int
    jid: str
    config: str
    subject: str
    subject_by: str
    subject_stamp: float
    secret: bytes
    locked: bool


class AffiliationRow(NamedTuple):
    """An affiliation as it is stored."""

    jid: str
    affiliation: str
    nick: str
    reason: str


class RecordedOccupancy(NamedTuple):
    """A session that was in a room when the process before this one ended.

    `wants_invite` as in `core.records.OccupancySaved`; `answers_pings`: it has answered one of a room.
    """

    number: int
    room: JID
    session: JID
    nick: str
    wants_invite: bool
    answers_pings: bool


class StoodIn(NamedTuple):
    """What was saved of an account's places in rooms: `key` is a room's bare JID or, for the account itself, empty."""

    number: int
    account: JID
    key: str
    value: str


class ArchivedRow(NamedTuple):
    """A message as it stands in an archive; see `core.records.MessageArchived`."""

    seq: int
    stamp: float
    sender: str
    recipient: str
    keep: int
    xml: str


class Entities(Protocol):
    """Bare JIDs that own things, and their numbers."""

    def new_number(self) -> int:
        """A number that no entity ever had."""

    async def number_of(self, jid: JID) -> int | None:
        """The number of the account, room or domain with that bare JID, if there is one."""

    async def number_for(self, domain: JID, now: float) -> int:
        """The number of a domain; one that has none gets it, and keeps it. `now` is in Unix seconds."""


class AccountStore(Protocol):
    """Accounts: which there are, and their SCRAM keys."""

    async def credentials(self, jid: JID) -> list[ScramKeys]:
        """The SCRAM keys of an account, none if there is no such account."""

    async def number(self, jid: JID) -> int | None:
        """The number of an account, if there is one."""

    async def accounts(self, domain: str) -> list[str]:
        """The bare JIDs of a domain's accounts, in order."""

    async def disabled(self, domain: str) -> list[str]:
        """Those of them that nobody can log in to."""

    async def is_disabled(self, jid: JID) -> bool:
        """Whether nobody can log in to that account."""


class ValueStore(Protocol):
    """Small things of small extensions."""

    async def value(self, owner: int, space: str, key: str) -> str | None:
        """One value, if it is there."""

    async def values(self, owner: int, space: str) -> dict[str, str]:
        """All values of one extension for one owner."""

    async def keys(self, owner: int, space: str) -> list[str]:
        """Under which keys one extension has values for one owner."""


class SpoolStore(Protocol):
    """Messages that wait for their recipient (XEP-0160)."""

    def new_seq(self) -> int:
        """The next number in the spool."""

    async def sizes(self, account: int) -> dict[int, int]:
        """How many characters each message has that waits for an account, by its number."""

    async def spooled(self, account: int) -> list[MessageSpooled]:
        """What waits for an account, oldest first."""


class ArchiveStore(Protocol):
    """Archives of accounts and rooms, on one sequence."""

    def new_seq(self) -> int:
        """The next number in the one sequence of all archives."""

    def id_of(self, seq: int, owner: int) -> str:
        """The stanza-id of a message in its owner's archive: the sequence number, enciphered."""

    def seq_of(self, id: str, owner: int) -> int | None:
        """The sequence number behind a stanza-id of that owner's archive; None if it is none."""

    async def message(self, seq: int, owner: int) -> ArchivedRow | None:
        """The message at that place of an archive, if there is one."""

    async def oldest(self, after: int, limit: int) -> list[tuple[int, float]]:
        """Place and time of the first messages behind a place, of all archives together, by place."""

    async def newest(self, owner: int, limit: int) -> list[ArchivedRow]:
        """The newest messages of an archive, oldest first."""

    async def page(self, owner: int, selection: Selection, limit: int) -> list[ArchivedRow]:
        """The first `limit` messages of a selection, the last ones if the newest are wanted; oldest first."""

    async def count(self, owner: int, selection: Selection) -> int:
        """How many messages a selection has."""

    async def held(self, owner: int, seqs: Collection[int]) -> frozenset[int]:
        """Those of some places where an archive has a message."""

    async def ends(self, owner: int) -> Ends | None:
        """The oldest and the newest message of an archive; None if it is empty."""


class RoomStore(Protocol):
    """Rooms and their affiliations."""

    async def room(self, jid: JID) -> RoomRow | None:
        """The room with that JID."""

    async def rooms(self, service: str) -> list[RoomRow]:
        """All rooms of a service, by JID."""

    async def populations(self, service: str) -> dict[str, int]:
        """How many people are in each room of a service where there is anybody, by the room's JID."""

    async def deserted(self, service: str) -> list[JID]:
        """The rooms of a service that nobody is in, nor owed an invitation to, and that should have gone by that."""

    async def rooms_of(self, jid: JID) -> list[str]:
        """The bare JIDs of the rooms with which a bare JID has an affiliation, or that push for it."""

    async def affiliations(self, room: int) -> list[AffiliationRow]:
        """All affiliations of a room."""

    async def occupancies(self, room: int) -> list[OccupancySaved]:
        """The sessions that are in a room, in the order in which they entered."""

    async def pushes(self, room: int) -> list[PushSaved]:
        """Who is told when there is something new in a room."""

    async def all_pushes(self, service: str) -> list[tuple[JID, PushSaved]]:
        """The same for all rooms of a service, each with its room."""

    async def invites(self, service: str) -> list[tuple[JID, InviteOwed]]:
        """The invitations that a service owes, each with its room."""

    async def journal(self, room: int, limit: int) -> list[Journalled]:
        """The newest lines of a room's journal, oldest first."""


class HandledStore(Protocol):
    """How far stream-management sessions got (XEP-0198)."""

    async def handled(self, sm_id: str, account: int) -> int | None:
        """The last `h` that was committed for a session of that account."""


class NodeStore(Protocol):
    """Nodes of publish-subscribe, and what is on them."""

    async def nodes(self, owner: int) -> Stored:
        """Everything about the nodes of an owner but the payloads of items."""

    async def payloads(self, owner: int, node: str, first: int, last: int) -> dict[str, str]:
        """The payloads of a node's items in that range of `seq`, by their ids, as XML; empty for an item without."""

    async def payload(self, owner: int, node: str, id: str) -> str | None:
        """The payload of one item, if that is there."""
