"""Which kind of document is being made for a potential, and in which organization its documents are."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("potentials") as batch:
        batch.add_column(sa.Column("claimed", sa.String(length=16), nullable=True))
        batch.add_column(sa.Column("claims", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("organization_id", sa.String(length=36), nullable=True))
    with op.batch_alter_table("potentials") as batch:
        batch.alter_column("claims", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("potentials") as batch:
        for name in ("organization_id", "claims", "claimed"):
            batch.drop_column(name)
