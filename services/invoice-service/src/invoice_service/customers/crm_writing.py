"""Writes what CRM records change: a fixed number of statements for any number of records."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from contracts.customers import ImportedContactPerson, ImportedCustomer
from servicekit.db import utc_now
from sqlalchemy import Table, bindparam, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import departed
from invoice_service.customers.crm_changes import Changes
from invoice_service.customers.crm_state import KnownCustomer, KnownPerson, Link
from invoice_service.customers.duplicates import Admitted
from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.organizations.models import Organization

_customers, _persons, _links = (cast(Table, model.__table__) for model in (Customer, ContactPerson, CrmLink))
_PERSON_FIELDS = tuple(ImportedContactPerson.model_fields)
_LINK_FIELDS = (
    "version",
    "deleted",
    "customer_id",
    "contact_person_id",
    "own_customer_id",
    "account_id",
    "stands_alone",
)


async def write(session: AsyncSession, organization: Organization, changes: Changes, admitted: Admitted) -> None:
    """Write ``changes``; every changed customer's version rises by one.

    ``admitted``: what the new ones, and the others that are recognised by something else now, are recognised by.
    """
    await _empty(session, changes)
    await _make_customers(session, organization, changes, admitted)
    await _change_customers(session, [one for one in changes.changed_customers if one.id not in admitted.keys], None)
    await _change_customers(session, [one for one in changes.changed_customers if one.id in admitted.keys], admitted)
    if changes.touched_customers:
        these = _customers.c.id.in_(changes.touched_customers)
        raised = {"version": _customers.c.version + 1, "updated_at": utc_now()}
        await session.execute(update(_customers).where(these).values(raised))
    await _write_persons(session, changes)
    await _write_links(session, organization.id, changes)
    if changes.deleted_customers:
        await departed.take_customers(session, changes.deleted_customers)


async def _empty(session: AsyncSession, changes: Changes) -> None:
    """Take persons and contacts from the customers that went; what the command knows of them is written anew after."""
    emptied = [*changes.deleted_customers, *changes.emptied_customers]
    if emptied or changes.deleted_persons:
        await departed.take_persons(
            session,
            ids=changes.deleted_persons,
            at=changes.deleted_customers,
            imported_at=changes.emptied_customers,
        )
    if emptied:
        at = update(_links).where(_links.c.record_type == "contact", _links.c.customer_id.in_(emptied))
        await session.execute(at.values(customer_id=None))


async def _make_customers(
    session: AsyncSession, organization: Organization, changes: Changes, admitted: Admitted
) -> None:
    if not changes.new_customers:
        return
    now = utc_now()
    common = {"organization_id": organization.id, "source": "crm", "updated_at": now}
    nothing_kept = dict.fromkeys(departed.KEPT) | {
        "version": 1,
        "currency_code": organization.currency_code,
        "notes": "",
        "created_at": now,
    }
    kept: Mapping[str, Mapping[str, Any]] = {}
    if changes.returned_customers:
        kept = await departed.customers_back(session, changes.returned_customers)
    rows = [
        {"id": one.id, **_fields(one.fields), **admitted.columns(one.id), **common, **kept.get(one.id, nothing_kept)}
        for one in changes.new_customers
    ]
    await session.execute(insert(_customers), rows)
    if kept:
        await departed.persons_back(session, kept)


async def _change_customers(
    session: AsyncSession, customers: Collection[KnownCustomer], admitted: Admitted | None
) -> None:
    if not customers:
        return
    now = utc_now()
    rows = [
        {"key": one.id, "status": "active" if one.active else "inactive", "updated_at": now, **_fields(one.fields)}
        | (admitted.columns(one.id) if admitted else {})
        for one in customers
    ]
    values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "key"}
    raised = {"version": _customers.c.version + 1}
    await session.execute(update(_customers).where(_customers.c.id == bindparam("key")).values(values | raised), rows)


async def _write_persons(session: AsyncSession, changes: Changes) -> None:
    def rows(persons: Iterable[KnownPerson], key: str) -> list[dict[str, object]]:
        return [{key: one.id, "customer_id": one.customer_id, **_fields(one.fields)} for one in persons]

    if changes.new_persons:
        emails: Mapping[str, str] = {}
        if changes.returned_persons:
            emails = await departed.emails_back(session, changes.returned_persons)
        new = [{**row, "email": emails.get(str(row["id"]), "")} for row in rows(changes.new_persons, "id")]
        await session.execute(insert(_persons), new)
    if changes.changed_persons:
        values: dict[str, Any] = {name: bindparam(name) for name in ("customer_id", *_PERSON_FIELDS)}
        changed = update(_persons).where(_persons.c.id == bindparam("key")).values(values)
        await session.execute(changed, rows(changes.changed_persons, "key"))


async def _write_links(session: AsyncSession, organization_id: str, changes: Changes) -> None:
    now = utc_now()

    def rows(links: Iterable[Link]) -> list[dict[str, object]]:
        return [
            {"kind": link.key.record_type, "record": link.key.record_id, "updated_at": now}
            | {name: getattr(link, name) for name in _LINK_FIELDS}
            for link in links
        ]

    values: dict[str, Any] = {name: bindparam(name) for name in (*_LINK_FIELDS, "updated_at")}
    if changes.new_links:
        key = {"organization_id": organization_id, "record_type": bindparam("kind"), "record_id": bindparam("record")}
        await session.execute(insert(_links).values(key | values), rows(changes.new_links))
    changed = update(_links).where(
        _links.c.organization_id == organization_id,
        _links.c.record_type == bindparam("kind"),
        _links.c.record_id == bindparam("record"),
    )
    if changes.changed_links:
        await session.execute(changed.values(values), rows(changes.changed_links))
    if changes.changed_fields:
        said = [
            {"kind": one.key.record_type, "record": one.key.record_id, "said": one.fields}
            for one in changes.changed_fields
        ]
        await session.execute(changed.values(fields=bindparam("said")), said)


async def delete_for_good(session: AsyncSession, customer_id: str) -> None:
    """Delete a customer without documents, with its persons and the rows of those merged into it.

    Whatever CRM record comes back to it makes a new one; until then where the record has its home stays known.
    """
    at = update(_links).where(_links.c.record_type == "contact", _links.c.customer_id == customer_id)
    await session.execute(at.values(customer_id=None, contact_person_id=None))
    await session.execute(delete(_persons).where(_persons.c.customer_id == customer_id))
    await departed.forget_persons(session, customer_id)
    await session.execute(
        delete(_customers).where((_customers.c.id == customer_id) | (_customers.c.merged_into == customer_id))
    )


def _fields(value: ImportedCustomer | ImportedContactPerson) -> dict[str, object]:
    return {name: getattr(value, name) for name in type(value).model_fields}
