"""What is kept, as values: one record class for each kind of durable fact.

Rules and services say what happened by making records; the writer (`fermata.storage.writer`) turns each class into one
statement. Records of one `Step` are committed together or not at all.

`owner`, `account` and `room` are integers: the number that `EntityMade` gave to a bare JID. Times are Unix seconds.
"""

from collections.abc import Callable
from typing import NamedTuple

from ..xmpp.element import Element
from .pubsub.records import NodeRecord


class EntityMade(NamedTuple):
    """A bare JID that owns things here (an account, a room) and the number it has in every other table."""

    number: int
    jid: str
    stamp: float


class EntityGone(NamedTuple):
    """An account was removed or a room destroyed: everything it owned goes."""

    number: int


class CredentialsSaved(NamedTuple):
    """SCRAM keys of an account for one hash (`sha1`, `sha256`); never a password."""

    account: int
    hash: str
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


class MessageArchived(NamedTuple):
    """One message in the archives of `owner` and, where both sides live here, of `other`.

    `seq` orders the archive and, enciphered for each owner, is its stanza-id. `sender` is the real full JID of who
    wrote it; `recipient` the addressee (a room's JID for groupchat); `xml` is the stanza without stanza-id.
    """

    seq: int
    stamp: float
    owner: int
    other: int | None
    sender: str
    recipient: str
    keep: int
    xml: str


class MessageReplaced(NamedTuple):
    """What stands in the archive of a room at that place from now on, as a message was retracted (XEP-0424 §5).

    Its place, and so its stanza-id, stay. A message with two owners is not for one of them to replace.
    """

    xml: str
    seq: int
    owner: int


class ArchiveFloorRaised(NamedTuple):
    """No place up to that one is ever given to a message again, even when nothing is left there."""

    seq: int


class ArchiveExpired(NamedTuple):
    """The messages up to that place, in all archives, are older than any is to be; comes with an ArchiveFloorRaised."""

    seq: int


class MessageSpooled(NamedTuple):
    """A message that waits for its recipient to come online (XEP-0160)."""

    account: int
    seq: int
    stamp: float
    xml: str


class SpoolTaken(NamedTuple):
    """The spooled message has reached its recipient."""

    account: int
    seq: int


class RosterItemSaved(NamedTuple):
    """A roster item as it is now (RFC 6121 §2); `groups` is a JSON list; `version` the roster's after the change."""

    account: int
    jid: str
    name: str
    subscription: str
    ask: bool
    approved: bool
    groups: str
    version: int


class RosterItemRemoved(NamedTuple):
    """A roster item is gone; kept as a tombstone for roster versioning."""

    account: int
    jid: str
    version: int


class RequestSaved(NamedTuple):
    """A subscription request that the account has not answered yet (RFC 6121 §3.1.3)."""

    account: int
    jid: str
    xml: str


class RequestRemoved(NamedTuple):
    """The request was answered or withdrawn."""

    account: int
    jid: str


class ValueSaved(NamedTuple):
    """A small thing of a small extension: vCards, private XML, blocklists; `space` names the extension."""

    owner: int
    space: str
    key: str
    value: str


class ValueRemoved(NamedTuple):
    """That value is gone."""

    owner: int
    space: str
    key: str


class HandledSaved(NamedTuple):
    """How far an account's stream-management session got (XEP-0198 `h`), written with the effects that it counts."""

    sm_id: str
    account: int
    h: int
    stamp: float


class HandledExpired(NamedTuple):
    """Nobody will ask any more how far sessions got of which nothing was heard since `stamp`."""

    stamp: float


class MetaSaved(NamedTuple):
    """Something that the database must remember about itself and the process that writes to it."""

    key: str
    value: str


class RoomSaved(NamedTuple):
    """A room's configuration (JSON) and subject; `secret` makes its occupant ids and must never change."""

    room: int
    config: str
    subject: str
    subject_by: str
    subject_stamp: float
    secret: bytes
    locked: bool


class AffiliationSaved(NamedTuple):
    """An affiliation with a room (XEP-0045 §5.2), of a bare JID; `none` removes it."""

    room: int
    jid: str
    affiliation: str
    nick: str
    reason: str


class OccupancySaved(NamedTuple):
    """A session is in a room: its full JID, nick, role and last presence (XML).

    `wants_invite`: it asked to be invited back, should the room ever have to let it go with its service. Of one
    occupant's sessions, the one with the highest `turn` spoke last.
    """

    room: int
    jid: str
    nick: str
    role: str
    presence: str
    entered: float
    wants_invite: bool = False
    turn: int = 0


class OccupancyEnded(NamedTuple):
    """That session is not in the room any more."""

    room: int
    jid: str


class PingAnswered(NamedTuple):
    """A session has answered a ping of a room: it will again, if it is there."""

    jid: str
    stamp: float


class InviteOwed(NamedTuple):
    """A session that was in a room when its service stopped, at `stamp`; `wanted`: it asked to be invited back."""

    room: int
    jid: str
    nick: str
    wanted: bool
    stamp: float


class InviteSettled(NamedTuple):
    """That session is owed no invitation any more."""

    room: int
    jid: str


class PushSaved(NamedTuple):
    """Who is told when there is something new in a room: `node` at `jid`, as the bare JID `registrant` has it.

    `options` are those of each publishing (XML, or empty); of the last `failures` pushes, the first failed at
    `failing_since`.
    """

    room: int
    registrant: str
    jid: str
    node: str
    options: str
    failures: int
    failing_since: float


class PushRemoved(NamedTuple):
    """That registration is gone."""

    room: int
    registrant: str
    jid: str
    node: str


class Journalled(NamedTuple):
    """One line of a room's story: what happened to whom, and why (`cause`: a word or status codes)."""

    room: int
    stamp: float
    jid: str
    nick: str
    event: str
    cause: str


Record = (
    EntityMade
    | EntityGone
    | CredentialsSaved
    | MessageArchived
    | MessageReplaced
    | ArchiveFloorRaised
    | ArchiveExpired
    | MessageSpooled
    | SpoolTaken
    | RosterItemSaved
    | RosterItemRemoved
    | RequestSaved
    | RequestRemoved
    | ValueSaved
    | ValueRemoved
    | HandledSaved
    | HandledExpired
    | MetaSaved
    | RoomSaved
    | AffiliationSaved
    | OccupancySaved
    | OccupancyEnded
    | PingAnswered
    | InviteOwed
    | InviteSettled
    | PushSaved
    | PushRemoved
    | Journalled
    | NodeRecord
)


class Lineage:
    """Steps that build on each other: once one of them has failed, those submitted after it are void.

    Then what is in memory is not what is on disk: `on_break` is called, once, so that whoever owns it can begin anew,
    with another lineage.
    """

    __slots__ = ("broken", "on_break")

    def __init__(self, on_break: Callable[[], None] | None = None) -> None:
        self.broken: Exception | None = None
        self.on_break = on_break

    def tell(self) -> None:
        """Calls `on_break` if that has not been done."""
        on_break, self.on_break = self.on_break, None
        if on_break is not None:
            on_break()


class Step:
    """The records that one stanza caused: committed together or not at all.

    `stanza` is what caused them, so that its sender can be told if they cannot be kept; `error` is set by the writer
    when that is final, and then nothing of the step may be told to anybody else. `ticket` is the number of the batch
    that it was put into, 0 before.
    """

    __slots__ = ("error", "lineage", "records", "stanza", "ticket")

    def __init__(self, records: "list[Record]", stanza: Element | None = None, lineage: Lineage | None = None) -> None:
        self.records, self.stanza, self.lineage = records, stanza, lineage
        self.error: Exception | None = None
        self.ticket = 0
