"""Invoices, payments, and discounts and adjustments of whole documents."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AMOUNTS = ("discount_percentage", "discount_amount", "adjustment", "document_discount")


def _of_estimates() -> list[sa.Column[Any]]:
    return [
        *(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0") for name in _AMOUNTS),
        sa.Column("adjustment_description", sa.String(length=255), nullable=False, server_default=""),
        sa.Column("invoice_id", sa.String(length=36), nullable=True),
        sa.Column("status_before_invoiced", sa.String(length=16), nullable=True),
    ]


def _of_lines() -> list[sa.Column[Any]]:
    return [sa.Column("unit", sa.String(length=255), nullable=False, server_default="")]


def upgrade() -> None:
    for table, columns in (("estimates", _of_estimates()), ("estimate_lines", _of_lines())):
        # Never by building the table anew: on SQLite the old one cannot go while others refer to its rows.
        with op.batch_alter_table(table, recreate="never") as batch:
            for column in columns:
                batch.add_column(column)
        if op.get_bind().dialect.name == "postgresql":
            # SQLite could take a default away only that way; it does no harm.
            with op.batch_alter_table(table) as batch:
                for column in columns:
                    if not column.nullable:
                        batch.alter_column(column.name, server_default=None)

    op.create_table(
        "invoices",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("customer_name", sa.String(length=255), nullable=False),
        sa.Column("billing_address", sa.JSON(), nullable=False),
        sa.Column("contact_person_id", sa.String(length=36), nullable=True),
        sa.Column("contact_person_name", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("payment_terms", sa.Integer(), nullable=True),
        sa.Column("reference_number", sa.String(length=255), nullable=False),
        sa.Column("currency_code", sa.String(length=3), nullable=False),
        sa.Column("discount_percentage", sa.BigInteger(), nullable=False),
        sa.Column("discount_amount", sa.BigInteger(), nullable=False),
        sa.Column("adjustment", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_description", sa.String(length=255), nullable=False),
        sa.Column("sub_total", sa.BigInteger(), nullable=False),
        sa.Column("document_discount", sa.BigInteger(), nullable=False),
        sa.Column("discount_total", sa.BigInteger(), nullable=False),
        sa.Column("tax_total", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("was_issued", sa.Boolean(), nullable=False),
        sa.Column("amount_paid", sa.BigInteger(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("crm_potential_id", sa.String(length=64), nullable=True),
        sa.Column("crm_potential_version", sa.Integer(), nullable=True),
        sa.Column("workflow_locked", sa.Boolean(), nullable=False),
        sa.Column("locked_by", sa.String(length=254), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("estimate_id", sa.String(length=36), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"]),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimates.id"]),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("organization_id", "number", name="uq_invoices_number"),
        sa.UniqueConstraint("estimate_id", name="uq_invoices_estimate"),
    )
    op.create_index("ix_invoices_contact_person", "invoices", ["contact_person_id"])
    op.create_index("ix_invoices_customer", "invoices", ["customer_id", "id"])
    op.create_index("ix_invoices_customer_date", "invoices", ["customer_id", "date", "id"])
    op.create_index("ix_invoices_date", "invoices", ["organization_id", "date", "id"])
    op.create_index(
        "ix_invoices_open",
        "invoices",
        ["customer_id", "currency_code"],
        sqlite_where=sa.text("status IN ('sent', 'overdue', 'partially_paid')"),
        postgresql_where=sa.text("status IN ('sent', 'overdue', 'partially_paid')"),
    )
    op.create_index("ix_invoices_organization", "invoices", ["organization_id", "id"])
    op.create_index("ix_invoices_potential", "invoices", ["organization_id", "crm_potential_id", "id"])
    op.create_index("ix_invoices_status", "invoices", ["organization_id", "status", "id"])
    op.create_index(
        "ix_invoices_to_fall_overdue",
        "invoices",
        ["due_date"],
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )

    op.create_table(
        "invoice_history",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("invoice_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=254), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_invoice_history_invoice_id", "invoice_history", ["invoice_id"])
    op.create_table(
        "invoice_lines",
        sa.Column("invoice_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(length=255), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("discount_percentage", sa.BigInteger(), nullable=False),
        sa.Column("tax_percentage", sa.BigInteger(), nullable=False),
        sa.Column("item_total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"]),
        sa.PrimaryKeyConstraint("invoice_id", "position"),
    )

    op.create_table(
        "payments",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("unused_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency_code", sa.String(length=3), nullable=False),
        sa.Column("payment_mode", sa.String(length=255), nullable=False),
        sa.Column("reference_number", sa.String(length=255), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"]),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_payments_customer", "payments", ["customer_id", "id"])
    op.create_index("ix_payments_customer_date", "payments", ["customer_id", "date", "id"])
    op.create_index("ix_payments_date", "payments", ["organization_id", "date", "id"])
    op.create_index("ix_payments_organization", "payments", ["organization_id", "id"])
    op.create_index(
        "ix_payments_unused",
        "payments",
        ["organization_id", "id"],
        sqlite_where=sa.text("unused_amount > 0"),
        postgresql_where=sa.text("unused_amount > 0"),
    )
    op.create_index(
        "ix_payments_credit",
        "payments",
        ["customer_id", "currency_code", "id"],
        sqlite_where=sa.text("unused_amount > 0"),
        postgresql_where=sa.text("unused_amount > 0"),
    )
    op.create_table(
        "payment_allocations",
        sa.Column("payment_id", sa.String(length=36), nullable=False),
        sa.Column("invoice_id", sa.String(length=36), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"]),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"]),
        sa.PrimaryKeyConstraint("payment_id", "invoice_id"),
    )
    op.create_index("ix_payment_allocations_invoice_id", "payment_allocations", ["invoice_id"])


def downgrade() -> None:
    _forget_invoices()
    for table in ("payment_allocations", "payments", "invoice_lines", "invoice_history", "invoices"):
        op.drop_table(table)
    for table, columns in (("estimate_lines", _of_lines()), ("estimates", _of_estimates())):
        with op.batch_alter_table(table, recreate="never") as batch:
            for column in columns:
                batch.drop_column(column.name)


def _forget_invoices() -> None:
    """Leave in tables that stay what would be there if invoices and payments had never been."""
    made = "to_char(timezone('UTC', created_at), 'YYYY-MM')"
    if op.get_bind().dialect.name == "sqlite":
        made = "strftime('%Y-%m', created_at)"
    of_month = f"organization_id = plan_use.organization_id AND {made} = plan_use.month"
    for statement in (
        f"UPDATE plan_use SET documents = (SELECT count(*) FROM estimates WHERE {of_month})",  # noqa: S608
        "UPDATE number_sequences SET last_number = "
        "(SELECT invoice_start - 1 FROM organizations WHERE id = number_sequences.organization_id) "
        "WHERE kind = 'invoice'",
        "UPDATE customers SET transaction_count = (SELECT count(*) FROM estimates WHERE customer_id = customers.id)",
        "UPDATE estimates SET status = coalesce(status_before_invoiced, 'accepted') WHERE status = 'invoiced'",
        "DELETE FROM search_words WHERE kind = 'invoice'",
    ):
        op.execute(statement)
