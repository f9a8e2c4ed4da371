"""Plans and their use, items, logos, and how an organization prints."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def of_organizations() -> list[sa.Column[Any]]:
    return [
        sa.Column("plan", sa.String(length=100), nullable=False, server_default="Unlimited"),
        sa.Column("language", sa.String(length=35), nullable=False, server_default="en-US"),
        sa.Column("paper", sa.String(length=16), nullable=False, server_default="A4"),
        sa.Column("tax_number", sa.String(length=255), nullable=False, server_default=""),
        sa.Column("email", sa.String(length=254), nullable=False, server_default=""),
        sa.Column("phone", sa.String(length=50), nullable=False, server_default=""),
        sa.Column("website", sa.String(length=255), nullable=False, server_default=""),
        sa.Column("payment_terms", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("default_notes", sa.Text(), nullable=False, server_default=""),
        sa.Column("default_terms", sa.Text(), nullable=False, server_default=""),
        sa.Column("estimate_start", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("invoice_start", sa.BigInteger(), nullable=False, server_default="1"),
        sa.Column("logo_digest", sa.String(length=64), nullable=True),
    ]


def upgrade() -> None:
    plans = op.create_table(
        "plans",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("documents_per_month", sa.Integer(), nullable=True),
        sa.Column("customers", sa.Integer(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    now = datetime.now(UTC)
    unlimited = {
        "id": "00000000-0000-7000-8000-000000000001",
        "version": 1,
        "name": "Unlimited",
        "documents_per_month": None,
        "customers": None,
        "created_at": now,
        "updated_at": now,
    }
    op.bulk_insert(plans, [unlimited])
    with op.batch_alter_table("organizations") as batch:
        for column in of_organizations():
            batch.add_column(column)
    if op.get_bind().dialect.name == "postgresql":
        # SQLite cannot take a default away without building a table anew that all others refer to; it does no harm.
        with op.batch_alter_table("organizations") as batch:
            for column in of_organizations():
                if not column.nullable:
                    batch.alter_column(column.name, server_default=None)

    plan_use = op.create_table(
        "plan_use",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("organization_id", "month"),
    )
    # The estimates that are there count in their month.
    estimates = sa.table("estimates", sa.column("organization_id"), sa.column("created_at"))
    month = sa.func.to_char(sa.func.timezone("UTC", estimates.c.created_at), "YYYY-MM")
    if op.get_bind().dialect.name == "sqlite":
        month = sa.func.strftime("%Y-%m", estimates.c.created_at)
    made = sa.select(estimates.c.organization_id, month, sa.func.count()).group_by(sa.text("1"), sa.text("2"))
    op.execute(plan_use.insert().from_select(["organization_id", "month", "documents"], made))
    op.create_table(
        "organization_logos",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("content_type", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("organization_id"),
    )
    op.create_table(
        "items",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=255), nullable=False),
        sa.Column("tax_percentage", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_items_organization", "items", ["organization_id", "id"])


def downgrade() -> None:
    op.execute("DELETE FROM search_words WHERE kind = 'item'")
    # Where no document has a number yet, numbers begin with 1 again.
    op.execute(
        "UPDATE number_sequences SET last_number = 0 WHERE kind = 'invoice' OR NOT EXISTS "
        "(SELECT 1 FROM estimates WHERE organization_id = number_sequences.organization_id)"
    )
    for table in ("items", "organization_logos", "plan_use", "plans"):
        op.drop_table(table)
    # Never by building the table anew: the others refer to it.
    with op.batch_alter_table("organizations", recreate="never") as batch:
        for column in of_organizations():
            batch.drop_column(column.name)
