"""Nodes of publish-subscribe: their items, affiliations and subscriptions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, type_: type[sa.types.TypeEngine]) -> sa.Column:
    return sa.Column(name, type_, nullable=False)


def owner(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("owner", NUMBER, nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["owner"], ["entity.number"], name=op.f(f"{table}_owner_reference")),
        column("node", sa.Text),
    ]


def upgrade() -> None:
    op.create_table(
        "node",
        *owner("node"),
        column("config", sa.Text),
        column("creator", sa.Text),
        column("stamp", sa.Double),
        sa.PrimaryKeyConstraint("owner", "node", name=op.f("node_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "item",
        *owner("item"),
        column("id", sa.Text),
        sa.Column("seq", NUMBER, nullable=False),
        column("stamp", sa.Double),
        column("publisher", sa.Text),
        column("size", sa.Integer),
        column("xml", sa.Text),
        sa.PrimaryKeyConstraint("owner", "node", "id", name=op.f("item_key")),
    )
    for table, of_jid in (
        ("node_affiliation", [column("affiliation", sa.Text)]),
        ("node_subscription", [column("state", sa.Text), column("delivers", sa.Boolean)]),
    ):
        op.create_table(
            table,
            *owner(table),
            column("jid", sa.Text),
            *of_jid,
            sa.PrimaryKeyConstraint("owner", "node", "jid", name=op.f(f"{table}_key")),
            sqlite_with_rowid=False,
        )


def downgrade() -> None:
    for table in ("node_subscription", "node_affiliation", "item", "node"):
        op.drop_table(table)
