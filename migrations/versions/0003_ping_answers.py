"""Which sessions have answered a ping of a room: of them, a later answer can tell that they are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ping_answer",
        sa.Column("jid", sa.Text, nullable=False),
        sa.Column("stamp", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("jid", name=op.f("ping_answer_key")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("ping_answer")
