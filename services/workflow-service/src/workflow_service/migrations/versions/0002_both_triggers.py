"""Both triggers: what is remembered of a potential, and what a run tells."""

import sqlalchemy as sa
from alembic import op
from servicekit.db import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DEFAULTS = ("invoice_due", "made", "won_idle_version")


def upgrade() -> None:
    with op.batch_alter_table("potentials") as batch:
        batch.alter_column("was_due", new_column_name="estimate_due")
        batch.drop_column("followed_version")
        batch.add_column(sa.Column("invoice_due", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("kind", sa.String(length=16), nullable=True))
        batch.add_column(sa.Column("made", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("won_idle_version", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("potentials") as batch:
        for name in _DEFAULTS:
            batch.alter_column(name, server_default=None)
    with op.batch_alter_table("workflow_runs", recreate="never") as batch:
        batch.add_column(sa.Column("event_time", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("decision", sa.Text(), nullable=True))
        batch.add_column(sa.Column("attempted_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("workflow_runs") as batch:
        for name in ("attempted_at", "decision", "event_time"):
            batch.drop_column(name)
    with op.batch_alter_table("potentials") as batch:
        for name in ("won_idle_version", "made", "kind", "invoice_due"):
            batch.drop_column(name)
        batch.add_column(sa.Column("followed_version", sa.Integer(), nullable=False, server_default="0"))
        batch.alter_column("estimate_due", new_column_name="was_due")
