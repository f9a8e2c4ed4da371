"""Which customers changed last."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_customers_updated", "customers", ["organization_id", "updated_at"])


def downgrade() -> None:
    op.drop_index("ix_customers_updated", "customers")
