"""Who is to be invited back into a room after a stop, and who is woken by push when there is something new in one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, type_: type[sa.types.TypeEngine]) -> sa.Column:
    return sa.Column(name, type_, nullable=False)


def room(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("room", NUMBER, nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["room"], ["entity.number"], name=op.f(f"{table}_room_reference")),
    ]


def upgrade() -> None:
    wish = sa.Column("wants_invite", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("occupancy", wish)
    op.create_table(
        "invite",
        *room("invite"),
        column("jid", sa.Text),
        column("nick", sa.Text),
        column("wanted", sa.Boolean),
        column("stamp", sa.Double),
        sa.PrimaryKeyConstraint("room", "jid", name=op.f("invite_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "push",
        *room("push"),
        column("registrant", sa.Text),
        column("jid", sa.Text),
        column("node", sa.Text),
        column("options", sa.Text),
        column("failures", sa.Integer),
        column("failing_since", sa.Double),
        sa.PrimaryKeyConstraint("room", "registrant", "jid", "node", name=op.f("push_key")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("push")
    op.drop_table("invite")
    with op.batch_alter_table("occupancy") as occupancy:
        occupancy.drop_column("wants_invite")
