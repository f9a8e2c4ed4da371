"""Customers of Invoice's: whose a document is follows from them when it is read, and no longer from links of its own.

What is known of accounts' documents, and of those that contacts have for themselves, is taken over. Who a contact person
is was not kept before, so contacts' lists say that they were never fetched, which brings the rest.
"""

import datetime

import sqlalchemy as sa
from alembic import op
from servicekit.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ORDERS = ("customer_id", "contact_person_id", "crm_potential_id")


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unfetched", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
    )
    op.create_table(
        "customer_records",
        sa.Column("record_type", sa.String(9), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("record_type", "record_id", "customer_id", name="pk_customer_records"),
    )
    op.create_index("ix_customer_records_customer", "customer_records", ["customer_id"])
    op.create_table(
        "customer_persons",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("contact_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customer_persons"),
    )
    op.create_index("ix_customer_persons_contact", "customer_persons", ["contact_id"])
    op.add_column("documents", sa.Column("contact_person_id", sa.String(36)))
    for whose in ORDERS:
        op.create_index(f"ix_documents_{whose}", "documents", [whose, "kind", "id"])
    op.execute(
        "INSERT INTO customer_records (record_type, record_id, customer_id) "
        "SELECT DISTINCT record_type, record_id, customer_id FROM document_links "
        "JOIN documents ON documents.id = document_id WHERE record_type = 'account'"
    )
    op.execute(
        "INSERT INTO customer_records (record_type, record_id, customer_id) "
        "SELECT DISTINCT record_type, record_id, customer_id FROM document_links "
        "JOIN documents ON documents.id = document_id WHERE record_type = 'contact' AND customer_id NOT IN "
        "(SELECT customer_id FROM customer_records)"
    )
    op.execute("DELETE FROM document_fetches WHERE record_type = 'contact'")
    op.drop_table("document_links")
    op.drop_column("document_versions", "whole")
    now = datetime.datetime.now(datetime.UTC)
    op.add_column("document_versions", sa.Column("told_at", UtcDateTime()))
    versions = sa.table("document_versions", sa.column("told_at", UtcDateTime()))
    op.execute(versions.update().values(told_at=now))
    with op.batch_alter_table("document_versions") as table:
        table.alter_column("told_at", nullable=False, existing_type=UtcDateTime())


def downgrade() -> None:
    op.create_table(
        "document_links",
        sa.Column("record_type", sa.String(9), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("document_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("record_type", "record_id", "kind", "document_id", name="pk_document_links"),
    )
    op.create_index("ix_document_links_document", "document_links", ["document_id"])
    op.execute(
        "INSERT INTO document_links (record_type, record_id, kind, document_id) "
        "SELECT record_type, record_id, kind, documents.id FROM customer_records "
        "JOIN documents ON documents.customer_id = customer_records.customer_id"
    )
    op.execute(
        "INSERT INTO document_links (record_type, record_id, kind, document_id) "
        "SELECT 'potential', crm_potential_id, kind, id FROM documents WHERE crm_potential_id IS NOT NULL"
    )
    op.drop_column("document_versions", "told_at")
    op.add_column("document_versions", sa.Column("whole", sa.Boolean(), nullable=False, server_default=sa.false()))
    for whose in ORDERS:
        op.drop_index(f"ix_documents_{whose}", "documents")
    op.drop_column("documents", "contact_person_id")
    for table in ("customer_persons", "customer_records", "customers"):
        op.drop_table(table)
