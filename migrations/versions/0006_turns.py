"""Which of an occupant's sessions spoke last, so that others see the same of him after a start."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("occupancy", sa.Column("turn", NUMBER, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    with op.batch_alter_table("occupancy") as occupancy:
        occupancy.drop_column("turn")
