"""When the workflow was active, and whether a potential was won then."""

import sqlalchemy as sa
from alembic import op
from servicekit.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activation_history",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_index("ix_activation_history_since", "activation_history", ["since"])
    # What was before the last change is not known any more: events of that time are only learnt.
    op.execute(
        "INSERT INTO activation_history (version, active, since) SELECT version, active, updated_at FROM activation"
    )
    with op.batch_alter_table("potentials") as batch:
        batch.add_column(sa.Column("won_version", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("won_active", sa.Boolean(), nullable=False, server_default=sa.true()))
    # Any state that was not won while inactive let a document be made; the next change of status says more.
    op.execute("UPDATE potentials SET won_version = version")
    potentials = sa.table("potentials", sa.column("won_idle_version"), sa.column("won_active", sa.Boolean()))
    op.execute(sa.update(potentials).where(potentials.c.won_idle_version > 0).values(won_active=False))
    with op.batch_alter_table("potentials") as batch:
        for name in ("won_version", "won_active"):
            batch.alter_column(name, server_default=None)
        batch.drop_column("won_idle_version")


def downgrade() -> None:
    with op.batch_alter_table("potentials") as batch:
        batch.add_column(sa.Column("won_idle_version", sa.Integer(), nullable=False, server_default="0"))
    potentials = sa.table(
        "potentials",
        sa.column("won_idle_version", sa.Integer()),
        sa.column("won_version", sa.Integer()),
        sa.column("won_active", sa.Boolean()),
    )
    # A version of an open or lost one is no harm there: it is forgotten at the next state.
    not_active = potentials.c.won_active.is_(sa.false())
    op.execute(sa.update(potentials).where(not_active).values(won_idle_version=potentials.c.won_version))
    with op.batch_alter_table("potentials") as batch:
        batch.alter_column("won_idle_version", server_default=None)
        batch.drop_column("won_active")
        batch.drop_column("won_version")
    op.drop_table("activation_history")
