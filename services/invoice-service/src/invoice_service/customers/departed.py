"""What is kept of customers and contact persons that went with their CRM records (S28).

Guarantee: one whose record is restored is the same again, with all that Invoice's people had of it. Rows move within
the database, in a fixed number of statements for any number.
"""

from collections.abc import Collection, Mapping
from typing import Any, cast

from contracts.customers import ImportedContactPerson
from servicekit.db import UtcDateTime
from sqlalchemy import Column, ColumnElement, Integer, String, Table, Text, delete, exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.base import Base
from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.customers.rows import among

departed_customers = Table(
    "departed_customers",
    Base.metadata,
    Column("id", String(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("payment_terms", Integer),
    Column("notes", Text, nullable=False),
    Column("chosen_primary_id", String(36)),
    Column("created_at", UtcDateTime, nullable=False),
)
"""``version``: that of the event which told that the customer is gone."""

departed_persons = Table(
    "departed_contact_persons",
    Base.metadata,
    Column("id", String(36), primary_key=True),
    Column("customer_id", String(36), nullable=False, index=True),
    *(Column(name, String(255), nullable=False) for name in ("salutation", "first_name", "last_name")),
    Column("email", String(254), nullable=False),
    Column("phone", String(50), nullable=False),
    Column("mobile", String(50), nullable=False),
)

KEPT = ("version", "currency_code", "payment_terms", "notes", "chosen_primary_id", "created_at")

_customers, _persons, _links = (cast(Table, model.__table__) for model in (Customer, ContactPerson, CrmLink))


async def which(session: AsyncSession, customer_ids: Collection[str]) -> frozenset[str]:
    """Of these customers those that come back with their records."""
    if not customer_ids:
        return frozenset()
    found = select(departed_customers.c.id).where(among(session, departed_customers.c.id, customer_ids))
    return frozenset((await session.execute(found)).scalars())


async def persons(session: AsyncSession, person_ids: Collection[str]) -> Mapping[str, ImportedContactPerson]:
    """What these persons were, of those who went with their customer."""
    if not person_ids:
        return {}
    names = tuple(ImportedContactPerson.model_fields)
    found = await session.execute(select(departed_persons).where(among(session, departed_persons.c.id, person_ids)))
    return {
        row["id"]: ImportedContactPerson.model_construct(**{name: row[name] for name in names})
        for row in found.mappings()
    }


async def take_customers(session: AsyncSession, customer_ids: Collection[str]) -> None:
    """Let the customers depart; persons and documents they have none any more.

    The rows of those that were merged into them stay, so that their ids lead there again.
    """
    kept = [_customers.c.version + 1 if name == "version" else _customers.c[name] for name in KEPT]
    going = _customers.c.id.in_(customer_ids)
    rows = select(_customers.c.id, *kept).where(going)
    await session.execute(insert(departed_customers).from_select(["id", *KEPT], rows))
    await session.execute(delete(_customers).where(going))


async def take_persons(
    session: AsyncSession, *, ids: Collection[str], at: Collection[str], imported_at: Collection[str]
) -> None:
    """Let persons depart: some, all who are at some customers, and all of the CRM who are at others."""
    of_the_crm = exists().where(_links.c.contact_person_id == _persons.c.id)
    going = or_(among(session, _persons.c.id, ids), among(session, _persons.c.customer_id, at))
    if imported_at:
        going |= _persons.c.customer_id.in_(imported_at) & of_the_crm
    await _move(session, _persons, departed_persons, going)


async def customers_back(session: AsyncSession, customer_ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """What was kept of these customers, by id: their columns, with the version to go on with; it is kept no more."""
    these = departed_customers.c.id.in_(customer_ids)
    kept = (await session.execute(select(departed_customers).where(these))).mappings().all()
    await session.execute(delete(departed_customers).where(these))
    return {row["id"]: {**row, "version": row["version"] + 1} for row in kept}


async def persons_back(session: AsyncSession, customer_ids: Collection[str]) -> None:
    """Bring the persons back who were added by hand to customers that are back; those of the CRM come with theirs."""
    of_the_crm = exists().where(_links.c.contact_person_id == departed_persons.c.id)
    await _move(session, departed_persons, _persons, departed_persons.c.customer_id.in_(customer_ids) & ~of_the_crm)


async def emails_back(session: AsyncSession, person_ids: Collection[str]) -> Mapping[str, str]:
    """The e-mail addresses that these persons had, whose other fields the CRM says; they are kept no more."""
    these = among(session, departed_persons.c.id, person_ids)
    kept = await session.execute(select(departed_persons).where(these))
    emails = {row.id: row.email for row in kept}
    await session.execute(delete(departed_persons).where(these))
    return emails


async def forget_persons(session: AsyncSession, customer_id: str) -> None:
    """Keep nobody who was at the customer: it was deleted for good."""
    await session.execute(delete(departed_persons).where(departed_persons.c.customer_id == customer_id))


async def _move(session: AsyncSession, source: Table, target: Table, which: ColumnElement[bool]) -> None:
    columns = [column.name for column in departed_persons.c]
    rows = select(*(source.c[name] for name in columns)).where(which)
    await session.execute(insert(target).from_select(columns, rows))
    await session.execute(delete(source).where(which))
