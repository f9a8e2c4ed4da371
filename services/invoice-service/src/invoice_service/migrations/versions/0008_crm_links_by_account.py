"""CRM links are looked up by account alone, so that no other look-up takes the index in the place of the primary key."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_crm_links_account", "crm_links")
    op.create_index("ix_crm_links_account_id", "crm_links", ["account_id"])


def downgrade() -> None:
    op.drop_index("ix_crm_links_account_id", "crm_links")
    op.create_index("ix_crm_links_account", "crm_links", ["organization_id", "account_id"])
