"""The first tables: records, stages, ZSC keys, and those that servicekit needs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from servicekit.db import ExactDecimal, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STAGES = [
    ("Qualification", "open"),
    ("Needs Analysis", "open"),
    ("Value Proposition", "open"),
    ("Proposal/Price Quote", "open"),
    ("Negotiation/Review", "open"),
    ("Closed Won", "won"),
    ("Closed Lost", "lost"),
]


def upgrade() -> None:
    create_stages()
    create_records()
    op.create_table(
        "zsc_keys",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_zsc_keys"),
        sa.UniqueConstraint("key_hash", name="uq_zsc_keys_key_hash"),
    )
    op.create_index("ix_zsc_keys_user", "zsc_keys", ["user_id", "id"])
    create_infrastructure()
    create_people()


def create_stages() -> None:
    stages = op.create_table(
        "stages",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stages"),
        sa.UniqueConstraint("name", name="uq_stages_name"),
        sa.UniqueConstraint("position", name="uq_stages_position"),
    )
    op.bulk_insert(
        stages,
        [
            {"id": number, "name": name, "position": number, "status": status}
            for number, (name, status) in enumerate(STAGES, 1)
        ],
    )


def create_records() -> None:
    op.create_table(
        "accounts",
        *record_columns(),
        sa.Column("account_name", sa.String(255), nullable=False),
        sa.Column("phone", sa.String(50), nullable=False),
        sa.Column("fax", sa.String(50), nullable=False),
        sa.Column("website", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("billing_address", sa.JSON(), nullable=False),
        sa.Column("shipping_address", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    live_index("ix_accounts_live", "accounts", "id")
    live_index("ix_accounts_name", "accounts", "account_name")
    op.create_table(
        "contacts",
        *record_columns(),
        sa.Column("salutation", sa.String(255), nullable=False),
        sa.Column("first_name", sa.String(255), nullable=False),
        sa.Column("last_name", sa.String(255), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("phone", sa.String(50), nullable=False),
        sa.Column("mobile", sa.String(50), nullable=False),
        sa.Column("account_id", sa.String(36)),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_contacts_account_id"),
    )
    live_index("ix_contacts_live", "contacts", "id")
    live_index("ix_contacts_account", "contacts", "account_id", "id")
    live_index("ix_contacts_standalone", "contacts", "id", where="account_id IS NULL")
    op.create_table(
        "potentials",
        *record_columns(),
        sa.Column("potential_name", sa.String(255), nullable=False),
        sa.Column("account_id", sa.String(36)),
        sa.Column("contact_id", sa.String(36)),
        sa.Column("stage_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("amount", ExactDecimal(4)),
        sa.Column("currency_code", sa.String(3), nullable=False),
        sa.Column("closing_date", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_potentials"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_potentials_account_id"),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name="fk_potentials_contact_id"),
        sa.ForeignKeyConstraint(["stage_id"], ["stages.id"], name="fk_potentials_stage_id"),
    )
    live_index("ix_potentials_live", "potentials", "id")
    live_index("ix_potentials_account", "potentials", "account_id", "id")
    live_index("ix_potentials_contact", "potentials", "contact_id", "id")
    live_index("ix_potentials_stage", "potentials", "stage_id", "id")
    live_index("ix_potentials_status", "potentials", "status", "id")


def record_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime()),
    ]


def live_index(name: str, table: str, *columns: str, where: str = "") -> None:
    live = sa.text("deleted_at IS NULL" + (f" AND {where}" if where else ""))
    op.create_index(name, table, columns, postgresql_where=live, sqlite_where=live)


def create_infrastructure() -> None:
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("exchange", sa.String(64), nullable=False),
        sa.Column("routing_key", sa.String(128), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("queue", sa.String(128), nullable=False),
        sa.Column("event_id", sa.Text()),
        sa.Column("event_type", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("correlation_id", sa.Text()),
        sa.Column("traceparent", sa.Text()),
        sa.Column("died_at", UtcDateTime(), nullable=False),
        sa.Column("replay_requested_at", UtcDateTime()),
        sa.Column("replay_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dead_letters_event", "dead_letters", ["queue", "event_id"], unique=True)
    op.create_index("ix_dead_letters_replay_at", "dead_letters", ["replay_at"])
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(300), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("location", sa.String(300)),
        sa.Column("etag", sa.String(64)),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    op.create_table(
        "search_words",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("word", sa.String(64).with_variant(sa.VARCHAR(64, collation="C"), "postgresql"), nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("kind", "word", "record_id"),
    )
    op.create_index("ix_search_words_record_id", "search_words", ["record_id"])


def create_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])


def downgrade() -> None:
    for table in (
        "api_tokens",
        "users",
        "search_words",
        "idempotency_keys",
        "dead_letters",
        "outbox",
        "zsc_keys",
        "potentials",
        "contacts",
        "accounts",
        "stages",
    ):
        op.drop_table(table)
