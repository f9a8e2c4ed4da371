"""What was set free by a deletion goes back when that is undone; lists of the deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LEFT = (("contacts", "account"), ("potentials", "account"), ("potentials", "contact"))
TABLES = ("accounts", "contacts", "potentials")


def upgrade() -> None:
    for table, noun in LEFT:
        column = f"left_{noun}_id"
        op.add_column(table, sa.Column(column, sa.String(36), nullable=True))
        partial_index(f"ix_{table}_left_{noun}", table, [column, "id"], f"deleted_at IS NULL AND {column} IS NOT NULL")
    for table in TABLES:
        partial_index(f"ix_{table}_deleted", table, ["id"], "deleted_at IS NOT NULL")


def partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def downgrade() -> None:
    for table in TABLES:
        op.drop_index(f"ix_{table}_deleted", table)
    for table, noun in LEFT:
        op.drop_index(f"ix_{table}_left_{noun}", table)
        op.drop_column(table, f"left_{noun}_id")
