"""Databases in tests: where one is, and one that is open."""

from collections.abc import Iterable
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import Select

from fermata.core.records import CredentialsSaved, EntityMade, Lineage, MessageArchived, Record, Step
from fermata.core.release import ReleaseQueue
from fermata.core.sasl.credentials import HASHES, derive_keys
from fermata.services.kept_accounts import ITERATIONS
from fermata.storage.connect import Durability
from fermata.storage.database import Database
from fermata.xmpp.jid import JID
from kit.turns import Turns

# The driver can't encode it, so no database takes it: a step with this text fails for good.
UNKEEPABLE = "\ud800"


class Place(NamedTuple):
    """Where a database is, and how it is to be opened."""

    url: str
    durability: Durability

    @property
    def is_embedded(self) -> bool:
        """Whether it is a file."""
        return self.url.startswith("sqlite")


class Opened(NamedTuple):
    """An open database and the turns that move it."""

    database: Database
    turns: Turns

    @classmethod
    def at(cls, place: Place) -> "Opened":
        """Opens the database there."""
        turns = Turns()
        return cls(Database.open(place.url, place.durability, turns, turns.call_in_reactor), turns)

    def keep(self, *records: Record, lineage: Lineage | None = None) -> Step:
        """Submits a step with these records."""
        step = Step(list(records), lineage=lineage)
        self.database.writer.submit(step)
        return step

    def commit(self) -> None:
        """Runs turns until everything that was submitted is durable, or has failed."""
        writer = self.database.writer
        self.turns.until(lambda: writer.durable >= writer.ticket)

    def rows(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """What a statement selects."""
        reader: Any = self.database.accounts
        return [tuple(row) for row in self.turns.run(reader._reader.rows(statement))]


class Outbox:
    """A source's release queue, and what came out of it."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.sent: list[Any] = []
        self.refused: list[Step] = []
        self._queue = ReleaseQueue(opened.database.writer, self.refused.append)

    def send(self, step: Step, *texts: object) -> None:
        """Puts a step's effects into the queue, the step having been submitted last."""
        for text in texts:
            self._queue.put(self._opened.database.writer.ticket, step, self.sent.append, text)


def message(opened: Opened, text: str = "hello", owner: int = 1, other: int | None = None) -> MessageArchived:
    """An archived message with the next number."""
    seq = opened.database.archive.new_seq()
    return MessageArchived(seq, 1.5, owner, other, "romeo@a.example/x", "juliet@a.example", 1, f"<body>{text}</body>")


def add_accounts(url: str, jids: Iterable[str], password: str) -> None:
    """Makes accounts with one password, in the database of a server that does not run.

    Its keys are derived once; the command line would derive them for each, which takes seconds for hundreds.
    """
    keys = [derive_keys(password, hash, b"salt of sixteen!", ITERATIONS) for hash in HASHES]
    opened = Opened.at(Place(url, "process"))
    with closing(opened.database):
        for jid in jids:
            number = opened.database.entities.new_number()
            opened.keep(EntityMade(number, JID.parse(jid), 0.0), *(CredentialsSaved(number, *each) for each in keys))
        opened.commit()
