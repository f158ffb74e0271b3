"""Each kind of record as SQL text, ready for the database driver.

A kind is *appended* (archive, journal), or *replaces* part of what was, or it is the last word about a *key*: such a
record says all that the table has to hold for its key afterwards, which may be nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Dialect,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import ClauseElement

from ..core import records
from ..core.pubsub import records as nodes
from . import tables

ARCHIVE_FLOOR: Final = "archive floor"  #: in `meta`: the highest archive number that was erased; it never comes again

Row = tuple[Any, ...]

APPENDED: Final[dict[type[Any], Table]] = {
    records.EntityMade: tables.entity,
    records.MessageArchived: tables.archive,
    records.Journalled: tables.journal,
}

KEYED: Final[dict[type[Any], Table]] = {
    records.CredentialsSaved: tables.credential,
    records.MessageSpooled: tables.spool,
    records.SpoolTaken: tables.spool,
    records.RosterItemSaved: tables.roster_item,
    records.RosterItemRemoved: tables.roster_item,
    records.RequestSaved: tables.request,
    records.RequestRemoved: tables.request,
    records.ValueSaved: tables.value,
    records.ValueRemoved: tables.value,
    records.HandledSaved: tables.handled,
    records.MetaSaved: tables.meta,
    records.RoomSaved: tables.room,
    records.AffiliationSaved: tables.affiliation,
    records.OccupancySaved: tables.occupancy,
    records.OccupancyEnded: tables.occupancy,
    records.PingAnswered: tables.ping_answer,
    records.InviteOwed: tables.invite,
    records.InviteSettled: tables.invite,
    records.PushSaved: tables.push,
    records.PushRemoved: tables.push,
    nodes.NodeSaved: tables.node,
    nodes.NodeRemoved: tables.node,
    nodes.ItemSaved: tables.item,
    nodes.ItemRemoved: tables.item,
    nodes.NodeAffiliationSaved: tables.node_affiliation,
    nodes.NodeSubscriptionSaved: tables.node_subscription,
    nodes.NodeSubscriptionRemoved: tables.node_subscription,
}

_REMOVALS: Final = {
    records.SpoolTaken,
    records.RequestRemoved,
    records.ValueRemoved,
    records.OccupancyEnded,
    records.InviteSettled,
    records.PushRemoved,
    nodes.NodeRemoved,
    nodes.ItemRemoved,
    nodes.NodeSubscriptionRemoved,
}
_AFFILIATIONS: Final = {records.AffiliationSaved, nodes.NodeAffiliationSaved}


def kept_row(record: Any) -> Row | None:
    """The row that a keyed record leaves in its table; None if it leaves none."""
    kind = record.__class__
    if kind in _REMOVALS or (kind in _AFFILIATIONS and record.affiliation == "none"):
        return None
    if kind is records.RosterItemRemoved:
        return records.RosterItemSaved(record.account, record.jid, "", "remove", False, False, "[]", record.version)
    row: Row = record
    return row


class KeyedTable(NamedTuple):
    """The two things that can happen to a key; a record's first `width` fields are the key."""

    name: str
    width: int
    save: str
    remove: str


class Erasure(NamedTuple):
    """A statement that takes an entity out of one table; its number fills each of the parameters."""

    sql: str
    parameters: int


def _replacement() -> ClauseElement:
    archive = tables.archive
    found = [column == bindparam(None, type_=column.type) for column in (archive.c.seq, archive.c.owner)]
    return update(archive).where(*found, archive.c.other == null()).values(xml=bindparam("xml"))


def _expiry() -> ClauseElement:
    stamp = tables.handled.c.stamp
    return delete(tables.handled).where(stamp < bindparam(None, type_=stamp.type))


class Statements:
    """SQL text in one database's dialect, with positional parameters in the order of the records' fields."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._insert: Callable[[Table], Any] = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        #: In the order in which they have to be run.
        self.written = {kind: self._append(kind, table) for kind, table in APPENDED.items()}
        self.written[records.MessageReplaced] = self._text(_replacement())
        self.written[records.HandledExpired] = self._text(_expiry())
        place: Any = bindparam(None, type_=BigInteger())
        self.written[records.ArchiveFloorRaised] = self._text(self._raise_archive_floor(place))
        self.written[records.ArchiveExpired] = self._text(delete(tables.archive).where(tables.archive.c.seq <= place))
        keyed = {table.name: self._keyed(table) for table in KEYED.values()}
        self.keyed = {kind: keyed[table.name] for kind, table in KEYED.items()}
        self.erasures = [self._erasure(statement) for statement in self._erase()]

    def _append(self, kind: Any, table: Table) -> str:
        return self._text(self._insert(table).values({name: bindparam(name) for name in kind._fields}).inline())

    def _keyed(self, table: Table) -> KeyedTable:
        key = list(table.primary_key.columns)
        insert = self._insert(table).values({column.name: bindparam(column.name) for column in table.columns})
        rest = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
        save = insert.on_conflict_do_update(index_elements=key, set_=rest)
        remove = delete(table).where(*(column == bindparam(None, type_=column.type) for column in key))
        return KeyedTable(table.name, len(key), self._text(save), self._text(remove))

    def _erase(self) -> Iterator[ClauseElement]:
        number: Any = bindparam("number", type_=BigInteger())
        archive, entity = tables.archive, tables.entity
        yield self._raise_archive_floor(func.coalesce(func.max(archive.c.seq), literal_column("0")))
        # A message between two accounts stays in the archive of the one who is left.
        yield (
            update(archive)
            .where(archive.c.owner == number, archive.c.other != number)
            .values(owner=archive.c.other, other=null())
        )
        yield update(archive).where(archive.c.other == number).values(other=null())
        yield delete(archive).where(archive.c.owner == number)
        for table in tables.metadata.sorted_tables:
            for column in table.columns:
                if column.references(entity.c.number):
                    yield delete(table).where(column == number)
        yield update(entity).where(entity.c.number == number).values(jid=null())

    def _raise_archive_floor(self, place: Any) -> ClauseElement:
        meta = tables.meta
        row: Any = select(literal_column(f"'{ARCHIVE_FLOOR}'"), cast(place, Text)).where(literal_column("1 = 1"))
        insert = self._insert(meta).from_select(["key", "value"], row)
        higher = cast(meta.c.value, BigInteger) < cast(insert.excluded.value, BigInteger)
        statement: ClauseElement = insert.on_conflict_do_update(
            index_elements=[meta.c.key], set_={"value": insert.excluded.value}, where=higher
        )
        return statement

    def _erasure(self, statement: ClauseElement) -> Erasure:
        compiled: Any = statement.compile(dialect=self._dialect)
        return Erasure(str(compiled), len(compiled.positiontup))

    def _text(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))


_COMPILED: Final[dict[str, Statements]] = {}


def statements_in(dialect: Dialect) -> Statements:
    """The statements in that dialect. To compile them takes most of the time of opening a database: it is done once."""
    if dialect.name not in _COMPILED:
        _COMPILED[dialect.name] = Statements(dialect)
    return _COMPILED[dialect.name]
