"""When a ZSC key was used last."""

import sqlalchemy as sa
from alembic import op
from servicekit.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("zsc_keys", sa.Column("last_used_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("zsc_keys", "last_used_at")
