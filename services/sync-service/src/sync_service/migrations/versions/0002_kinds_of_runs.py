"""Runs have a kind, a lease, a total and lists of changes; the connection says what is due when."""

import sqlalchemy as sa
from alembic import op
from servicekit.db import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connection", sa.Column("next_run_at", UtcDateTime(), nullable=True))
    op.add_column("connection", sa.Column("next_check_at", UtcDateTime(), nullable=True))

    # Not in batch mode: SQLite cannot make a table anew that another one refers to.
    op.execute("ALTER TABLE import_runs RENAME COLUMN record_type TO stage")
    op.add_column("import_runs", sa.Column("kind", sa.String(length=16), nullable=False, server_default="import"))
    op.add_column("import_runs", sa.Column("retry_of", sa.String(length=36), nullable=True))
    op.add_column("import_runs", sa.Column("leased_until", UtcDateTime(), nullable=True))
    op.add_column("import_runs", sa.Column("total", sa.Integer(), nullable=True))
    op.add_column("import_runs", sa.Column("started_at", UtcDateTime(), nullable=True))
    for counter in ("changes", "failures_listed", "places_taken"):
        op.add_column("import_runs", sa.Column(counter, sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_import_runs_kind", "import_runs", ["kind", "id"])
    op.execute("UPDATE import_runs SET started_at = created_at WHERE status <> 'queued'")
    op.execute(
        "UPDATE import_runs SET failures_listed = "
        "(SELECT count(*) FROM import_failures WHERE import_failures.run_id = import_runs.id)"
    )

    op.add_column("import_failures", sa.Column("name", sa.Text(), nullable=False, server_default=""))
    # A broken record's may be of any length, and an index does not take them all; see `runs.records.keep_failures`.
    op.execute("UPDATE import_failures SET record_id = substr(record_id, 1, 128) WHERE length(record_id) > 128")
    op.drop_index("ix_import_failures_run_id", "import_failures")
    op.create_index("ix_import_failures_list", "import_failures", ["run_id", "record_type", "id"])
    op.create_index("ix_import_failures_record", "import_failures", ["run_id", "record_type", "record_id"])

    op.create_table(
        "import_changes",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("record_type", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("customer_case", sa.String(length=32), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("known_version", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("difference", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "record_type", "number"),
    )
    op.create_index("ix_import_changes_outcome", "import_changes", ["run_id", "outcome", "record_type", "number"])
    op.create_index("ix_import_changes_record", "import_changes", ["run_id", "record_type", "record_id"])


def downgrade() -> None:
    op.drop_table("import_changes")
    op.drop_index("ix_import_failures_record", "import_failures")
    op.drop_index("ix_import_failures_list", "import_failures")
    op.create_index("ix_import_failures_run_id", "import_failures", ["run_id"])
    op.drop_column("import_failures", "name")
    op.drop_index("ix_import_runs_kind", "import_runs")
    added = ("kind", "retry_of", "leased_until", "total", "started_at", "changes", "failures_listed", "places_taken")
    for name in added:
        op.drop_column("import_runs", name)
    op.execute("ALTER TABLE import_runs RENAME COLUMN stage TO record_type")
    op.drop_column("connection", "next_check_at")
    op.drop_column("connection", "next_run_at")
