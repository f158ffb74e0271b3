"""All tables. Their columns are named after the fields of the records (`core.records`) that are kept in them.

An owner is a number. A number that is gone stays in `entity` without its JID, so it is never given to anybody else.
`archive` has no foreign keys: it is the hot table, and checking two of them costs more than the row.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_reference",
        "pk": "%(table_name)s_key",
    }
)

# SQLite takes a primary key for its own row number only if the type is called INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")


def _number(name: str) -> Column[int]:
    return Column(name, _Number, primary_key=True, autoincrement=False)


def _owner(name: str, primary_key: bool = True) -> Column[Any]:
    return Column(name, _Number, ForeignKey("entity.number"), primary_key=primary_key, nullable=False)


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _stamp(name: str) -> Column[float]:
    return Column(name, Double, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _small(name: str, *columns: Column[Any]) -> Table:
    """A table of short rows that are found by their key alone: one tree instead of two in SQLite."""
    return Table(name, metadata, *columns, sqlite_with_rowid=False)


entity = Table(
    "entity",
    metadata,
    _number("number"),
    Column("jid", Text, unique=True),  # NULL: gone
    _stamp("stamp"),
)

credential = _small(
    "credential",
    _owner("account"),
    _key("hash"),
    _bytes("salt"),
    Column("iterations", Integer, nullable=False),
    _bytes("stored_key"),
    _bytes("server_key"),
)

archive = Table(
    "archive",
    metadata,
    _number("seq"),
    _stamp("stamp"),
    Column("owner", _Number, nullable=False),
    Column("other", _Number),
    _text("sender"),
    _text("recipient"),
    Column("keep", Integer, nullable=False),
    _text("xml"),
)
Index(None, archive.c.owner, archive.c.seq)
_TWO_OWNERS = text("other IS NOT NULL")
Index(None, archive.c.other, archive.c.seq, sqlite_where=_TWO_OWNERS, postgresql_where=_TWO_OWNERS)

spool = Table(
    "spool",
    metadata,
    _owner("account"),
    Column("seq", _Number, primary_key=True),
    _stamp("stamp"),
    _text("xml"),
)

roster_item = _small(
    "roster_item",
    _owner("account"),
    _key("jid"),
    _text("name"),
    _text("subscription"),  # "remove": a tombstone
    _flag("ask"),
    _flag("approved"),
    _text("groups"),
    Column("version", _Number, nullable=False),
)

request = Table("request", metadata, _owner("account"), _key("jid"), _text("xml"))

value = Table("value", metadata, _owner("owner"), _key("space"), _key("key"), _text("value"))

handled = _small(
    "handled",
    _key("sm_id"),
    _owner("account", primary_key=False),
    Column("h", _Number, nullable=False),
    _stamp("stamp"),
)

room = Table(
    "room",
    metadata,
    Column("room", _Number, ForeignKey("entity.number"), primary_key=True, autoincrement=False),
    _text("config"),
    _text("subject"),
    _text("subject_by"),
    _stamp("subject_stamp"),
    _bytes("secret"),
    _flag("locked"),
)

affiliation = _small(
    "affiliation",
    _owner("room"),
    _key("jid"),
    _text("affiliation"),
    _text("nick"),
    _text("reason"),
)

occupancy = Table(
    "occupancy",
    metadata,
    _owner("room"),
    _key("jid"),
    _text("nick"),
    _text("role"),
    _text("presence"),
    _stamp("entered"),
    Column("wants_invite", Boolean, nullable=False, server_default=false()),
    Column("turn", _Number, nullable=False, server_default=text("0")),
)

ping_answer = _small("ping_answer", _key("jid"), _stamp("stamp"))

invite = _small(
    "invite",
    _owner("room"),
    _key("jid"),
    _text("nick"),
    _flag("wanted"),
    _stamp("stamp"),
)

push = _small(
    "push",
    _owner("room"),
    _key("registrant"),
    _key("jid"),
    _key("node"),
    _text("options"),
    Column("failures", Integer, nullable=False),
    _stamp("failing_since"),
)

journal = Table(
    "journal",
    metadata,
    Column("line", _Number, primary_key=True),
    _owner("room", primary_key=False),
    _stamp("stamp"),
    _text("jid"),
    _text("nick"),
    _text("event"),
    _text("cause"),
)
Index(None, journal.c.room, journal.c.line)

node = _small(
    "node",
    _owner("owner"),
    _key("node"),
    _text("config"),
    _text("creator"),
    _stamp("stamp"),
)

item = Table(
    "item",
    metadata,
    _owner("owner"),
    _key("node"),
    _key("id"),
    Column("seq", _Number, nullable=False),
    _stamp("stamp"),
    _text("publisher"),
    Column("size", Integer, nullable=False),
    _text("xml"),  # last: SQLite need not read it to show what stands before it
)

node_affiliation = _small(
    "node_affiliation",
    _owner("owner"),
    _key("node"),
    _key("jid"),
    _text("affiliation"),
)

node_subscription = _small(
    "node_subscription",
    _owner("owner"),
    _key("node"),
    _key("jid"),
    _text("state"),
    _flag("delivers"),
)

meta = Table("meta", metadata, _key("key"), _text("value"))  # what the database must remember about itself
