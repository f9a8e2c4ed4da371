"""Documents of Invoice's, as the CRM shows them."""

import sqlalchemy as sa
from alembic import op
from servicekit.db import ExactDecimal, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(255), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date()),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("customer_name", sa.String(255), nullable=False),
        sa.Column("reference_number", sa.String(255), nullable=False),
        sa.Column("currency_code", sa.String(3), nullable=False),
        sa.Column("total", ExactDecimal(), nullable=False),
        sa.Column("balance", ExactDecimal()),
        sa.Column("counterpart_id", sa.String(36)),
        sa.Column("crm_potential_id", sa.String(64)),
        sa.Column("workflow_locked", sa.Boolean(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
    )
    op.create_table(
        "document_versions",
        sa.Column("document_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name="pk_document_versions"),
    )
    op.create_table(
        "document_links",
        sa.Column("record_type", sa.String(9), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("document_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("record_type", "record_id", "kind", "document_id", name="pk_document_links"),
    )
    op.create_index("ix_document_links_document", "document_links", ["document_id"])
    op.create_table(
        "document_fetches",
        sa.Column("record_type", sa.String(9), nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("fetched_at", UtcDateTime()),
        sa.Column("failed_at", UtcDateTime()),
        sa.Column("failure", sa.Text()),
        sa.PrimaryKeyConstraint("record_type", "record_id", name="pk_document_fetches"),
    )
