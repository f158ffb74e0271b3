"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, type_: type[sa.types.TypeEngine]) -> sa.Column:
    return sa.Column(name, type_, nullable=False)


def number(name: str) -> sa.Column:
    return sa.Column(name, NUMBER, nullable=False, autoincrement=False)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"{table}_key"))


def owner(table: str, name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], ["entity.number"], name=op.f(f"{table}_{name}_reference"))


def upgrade() -> None:
    op.create_table("meta", column("key", sa.Text), column("value", sa.Text), key("meta", "key"))
    op.create_table(
        "entity",
        number("number"),
        sa.Column("jid", sa.Text),
        column("stamp", sa.Double),
        key("entity", "number"),
        sa.UniqueConstraint("jid", name=op.f("entity_jid_unique")),
    )
    upgrade_archive()
    upgrade_accounts()
    upgrade_rooms()


def upgrade_archive() -> None:
    op.create_table(
        "archive",
        number("seq"),
        column("stamp", sa.Double),
        number("owner"),
        sa.Column("other", NUMBER),
        column("sender", sa.Text),
        column("recipient", sa.Text),
        column("keep", sa.Integer),
        column("xml", sa.Text),
        key("archive", "seq"),
    )
    two_owners = sa.text("other IS NOT NULL")
    op.create_index(op.f("archive_owner_seq_index"), "archive", ["owner", "seq"])
    op.create_index(
        op.f("archive_other_seq_index"),
        "archive",
        ["other", "seq"],
        sqlite_where=two_owners,
        postgresql_where=two_owners,
    )


def upgrade_accounts() -> None:
    op.create_table(
        "credential",
        number("account"),
        column("hash", sa.Text),
        column("salt", sa.LargeBinary),
        column("iterations", sa.Integer),
        column("stored_key", sa.LargeBinary),
        column("server_key", sa.LargeBinary),
        owner("credential", "account"),
        key("credential", "account", "hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "spool",
        number("account"),
        number("seq"),
        column("stamp", sa.Double),
        column("xml", sa.Text),
        owner("spool", "account"),
        key("spool", "account", "seq"),
    )
    op.create_table(
        "roster_item",
        number("account"),
        column("jid", sa.Text),
        column("name", sa.Text),
        column("subscription", sa.Text),
        column("ask", sa.Boolean),
        column("approved", sa.Boolean),
        column("groups", sa.Text),
        number("version"),
        owner("roster_item", "account"),
        key("roster_item", "account", "jid"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "request",
        number("account"),
        column("jid", sa.Text),
        column("xml", sa.Text),
        owner("request", "account"),
        key("request", "account", "jid"),
    )
    op.create_table(
        "value",
        number("owner"),
        column("space", sa.Text),
        column("key", sa.Text),
        column("value", sa.Text),
        owner("value", "owner"),
        key("value", "owner", "space", "key"),
    )
    op.create_table(
        "handled",
        column("sm_id", sa.Text),
        number("account"),
        number("h"),
        column("stamp", sa.Double),
        owner("handled", "account"),
        key("handled", "sm_id"),
        sqlite_with_rowid=False,
    )


def upgrade_rooms() -> None:
    op.create_table(
        "room",
        number("room"),
        column("config", sa.Text),
        column("subject", sa.Text),
        column("subject_by", sa.Text),
        column("subject_stamp", sa.Double),
        column("secret", sa.LargeBinary),
        column("locked", sa.Boolean),
        owner("room", "room"),
        key("room", "room"),
    )
    op.create_table(
        "affiliation",
        number("room"),
        column("jid", sa.Text),
        column("affiliation", sa.Text),
        column("nick", sa.Text),
        column("reason", sa.Text),
        owner("affiliation", "room"),
        key("affiliation", "room", "jid"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "occupancy",
        number("room"),
        column("jid", sa.Text),
        column("nick", sa.Text),
        column("role", sa.Text),
        column("presence", sa.Text),
        column("entered", sa.Double),
        owner("occupancy", "room"),
        key("occupancy", "room", "jid"),
    )
    op.create_table(
        "journal",
        sa.Column("line", NUMBER, nullable=False, autoincrement=True),
        number("room"),
        column("stamp", sa.Double),
        column("jid", sa.Text),
        column("nick", sa.Text),
        column("event", sa.Text),
        column("cause", sa.Text),
        owner("journal", "room"),
        key("journal", "line"),
    )
    op.create_index(op.f("journal_room_line_index"), "journal", ["room", "line"])


def downgrade() -> None:
    for table in ("journal", "occupancy", "affiliation", "room"):
        op.drop_table(table)
    for table in ("handled", "value", "request", "roster_item", "spool", "credential"):
        op.drop_table(table)
    for table in ("archive", "entity", "meta"):
        op.drop_table(table)
