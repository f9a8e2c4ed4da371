"""For whom a potential's first document was made."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("potentials") as batch:
        batch.add_column(sa.Column("made_for", sa.String(length=36), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("potentials") as batch:
        batch.drop_column("made_for")
