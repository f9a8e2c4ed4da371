"""Merged customers with their journal, and likely duplicates.

What the customers that are there are recognised by is made as `customers.likeness` made it when this was written: with
its own copy, so that a later change there does not change what this did.
"""

import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = ("name", "phone", "address")
CHUNK = 1_000
MAX_SHARING = 50


def upgrade() -> None:
    with op.batch_alter_table("customers") as batch:
        batch.add_column(sa.Column("merged_into", sa.String(length=36), nullable=True))
        for kind in KINDS:
            batch.add_column(sa.Column(f"{kind}_key", sa.String(length=200), nullable=True))
    op.create_index("ix_customers_merged_into", "customers", ["merged_into"])
    for kind in KINDS:
        only = sa.text(f"{kind}_key IS NOT NULL")
        columns = ["organization_id", f"{kind}_key"]
        op.create_index(f"ix_customers_{kind}_key", "customers", columns, sqlite_where=only, postgresql_where=only)

    with op.batch_alter_table("crm_links") as batch:
        batch.add_column(sa.Column("stands_alone", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("rank", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("fields", sa.JSON(), nullable=True))
    with op.batch_alter_table("crm_links") as batch:
        batch.alter_column("stands_alone", server_default=None)
    op.execute(
        "UPDATE crm_links SET stands_alone = true "
        "WHERE record_type = 'contact' AND NOT deleted AND customer_id = own_customer_id"
    )

    op.create_table(
        "duplicate_pairs",
        sa.Column("second_id", sa.String(length=36), nullable=False),
        sa.Column("first_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("phone_key", sa.String(length=200), nullable=False),
        sa.Column("address_key", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["first_id"], ["customers.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.ForeignKeyConstraint(["second_id"], ["customers.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("second_id", "first_id"),
    )
    op.create_index("ix_duplicate_pairs_first", "duplicate_pairs", ["first_id"])
    op.create_index("ix_duplicate_pairs_organization", "duplicate_pairs", ["organization_id", "second_id", "first_id"])

    op.create_table(
        "customer_merges",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("from_id", sa.String(length=36), nullable=False),
        sa.Column("into_id", sa.String(length=36), nullable=False),
        sa.Column("from_name", sa.String(length=255), nullable=False),
        sa.Column("into_name", sa.String(length=255), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=254), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=254), nullable=True),
        sa.Column("estimates", sa.Integer(), nullable=False),
        sa.Column("invoices", sa.Integer(), nullable=False),
        sa.Column("payments", sa.Integer(), nullable=False),
        sa.Column("contact_persons", sa.Integer(), nullable=False),
        sa.Column("crm_links", sa.Integer(), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("into_version", sa.Integer(), nullable=False),
        sa.Column("into_transactions", sa.Integer(), nullable=False),
        sa.Column("from_status", sa.String(length=16), nullable=False),
        sa.Column("from_transactions", sa.Integer(), nullable=False),
        sa.Column("from_primary_id", sa.String(length=36), nullable=True),
        sa.Column("into_primary_id", sa.String(length=36), nullable=True),
        sa.Column("rank_offset", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["customers.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["into_id"], ["customers.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_customer_merges_from", "customer_merges", ["from_id"])
    op.create_index("ix_customer_merges_into", "customer_merges", ["into_id"])
    op.create_table(
        "customer_merge_records",
        sa.Column("merge_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["merge_id"], ["customer_merges.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("merge_id", "kind", "record_id"),
    )
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """What the customers that are there are recognised by, and their pairs."""
    customers = sa.table(
        "customers",
        *(sa.column(name, sa.String()) for name in ("id", "customer_name", "phone", "status")),
        *(sa.column(name, sa.JSON()) for name in ("billing_address", "shipping_address")),
        *(sa.column(f"{kind}_key", sa.String()) for kind in KINDS),
    )
    keys: dict[str, Any] = {f"{kind}_key": sa.bindparam(f"new_{kind}") for kind in KINDS}
    write = sa.update(customers).where(customers.c.id == sa.bindparam("key")).values(keys)
    last = ""
    while rows := connection.execute(
        sa.select(customers).where(customers.c.id > last).order_by(customers.c.id).limit(CHUNK)
    ).all():
        last = rows[-1].id
        active = [{"key": row.id, **_keys(row)} for row in rows if row.status == "active"]
        if active:
            connection.execute(write, active)
    for kind in KINDS:
        connection.execute(sa.text(_ONLY_SO_MANY.format(key=f"{kind}_key", most=MAX_SHARING)))
    connection.execute(sa.text(_PAIRS))


def _keys(row: sa.Row[Any]) -> dict[str, str | None]:
    address = row.billing_address if row.billing_address["street"] else row.shipping_address
    found = {
        "name": _name_key(row.customer_name),
        "phone": _phone_key(row.phone),
        "address": _address_key(address["street"], address["zip"] or address["city"]),
    }
    return {f"new_{kind}": key or None for kind, key in found.items()}


_WORDS = re.compile(r"\w+")
_DIGITS = re.compile(r"\d")
_SPELLED = re.compile(r"\b(\w) (?=\w\b)")
_STREET = re.compile(r"(?<=\w)strasse\b|\b(?:strasse|street)\b")
_SILENT = dict.fromkeys(map(ord, ".'’`´"))
_LEGAL_FORMS = frozenset(
    "ab ag aps as asa bv co company corp corporation doo ev gbr gmbh inc incorporated kft kg kgaa kk limited llc llp "
    "lp ltd mbh nv ohg oy oyj plc pte pty sa sarl sas se sl spa srl sro ug".split()
)


def _name_key(name: str) -> str:
    words = _plain(name).split()
    return " ".join([*words[:1], *(word for word in words[1:] if word not in _LEGAL_FORMS)])[:200]


def _phone_key(phone: str) -> str:
    digits = "".join(str(int(digit)) for digit in _DIGITS.findall(phone))
    return digits[-9:] if len(digits) >= 7 and len(set(digits)) > 1 else ""


def _address_key(street: str, place: str) -> str:
    street, place = _plain(street), _plain(place)
    return f"{_STREET.sub('str', street)[:100]}, {place[:98]}" if street and place else ""


def _plain(text: str) -> str:
    marked = unicodedata.normalize("NFKD", text.casefold()).translate(_SILENT)
    words = _WORDS.findall("".join(char for char in marked if not unicodedata.combining(char)))
    return _SPELLED.sub(r"\1", " ".join(words))


_ONLY_SO_MANY = """
UPDATE customers SET {key} = NULL WHERE id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY organization_id, {key} ORDER BY id) AS place
    FROM customers WHERE {key} IS NOT NULL
  ) AS placed WHERE place > {most}
)
"""

_ALIKE = """
SELECT one.organization_id, one.id AS first_id, other.id AS second_id, {columns}
FROM customers one JOIN customers other
  ON other.organization_id = one.organization_id AND other.{kind}_key = one.{kind}_key AND one.id < other.id
"""

_PAIRS = (
    "INSERT INTO duplicate_pairs (organization_id, first_id, second_id, name_key, phone_key, address_key) "  # noqa: S608
    "SELECT organization_id, first_id, second_id, max(name_key), max(phone_key), max(address_key) FROM ("
    + " UNION ALL ".join(
        _ALIKE.format(
            kind=kind,
            columns=", ".join(f"one.{kind}_key" if named == kind else f"'' AS {named}_key" for named in KINDS),
        )
        for kind in KINDS
    )
    + ") AS found GROUP BY organization_id, first_id, second_id"
)


def downgrade() -> None:
    for table in ("customer_merge_records", "customer_merges", "duplicate_pairs"):
        op.drop_table(table)
    with op.batch_alter_table("crm_links", recreate="never") as batch:
        for column in ("fields", "rank", "stands_alone"):
            batch.drop_column(column)
    for name in ("merged_into", *(f"{kind}_key" for kind in KINDS)):
        op.drop_index(f"ix_customers_{name}", "customers")
        op.execute(f"ALTER TABLE customers DROP COLUMN {name}")
