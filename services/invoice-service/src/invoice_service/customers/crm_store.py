"""Reads the state that CRM records may touch, and writes its changes: a fixed number of statements for any number."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

from contracts.customers import CrmRecordType, ImportedContactPerson, ImportedCustomer
from servicekit.db import utc_now
from sqlalchemy import Row, Select, Table, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers.crm_changes import Changes
from invoice_service.customers.crm_state import Key, KnownCustomer, KnownPerson, Link, Record, State
from invoice_service.customers.duplicates import Admitted
from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.organizations.models import Organization

_customers, _persons, _links = (cast(Table, model.__table__) for model in (Customer, ContactPerson, CrmLink))
_CUSTOMER_FIELDS = tuple(ImportedCustomer.model_fields)
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


async def load(session: AsyncSession, organization_id: str, records: Sequence[Record]) -> State:
    """All that ``records`` may touch; its customers stay locked until the transaction ends."""
    named: dict[CrmRecordType, set[str]] = {"account": set(), "contact": set()}
    for record in records:
        named[record.key.record_type].add(record.key.record_id)
        if record.account_id is not None:
            named["account"].add(record.account_id)
    ours = select(*_links.c).where(_links.c.organization_id == organization_id)
    links = await _load_links(
        session,
        ours.where(
            or_(
                *(and_(_links.c.record_type == kind, _links.c.record_id.in_(ids)) for kind, ids in named.items() if ids)
            )
        ),
    )
    restored = _restored_accounts(links, records)
    if restored:
        waiting = ours.where(_links.c.account_id.in_(restored), _links.c.deleted.is_(False))
        links |= await _load_links(session, waiting)
    customer_ids = {id_ for link in links.values() for id_ in (link.customer_id, link.own_customer_id) if id_}
    if not customer_ids:
        return State(links)
    customers = await _load_customers(session, organization_id, customer_ids)
    account_at_home = (_links.c.record_type == "account") & _links.c.customer_id.in_(customer_ids)
    at_home = ours.where(account_at_home | _links.c.own_customer_id.in_(customer_ids))
    links = await _load_links(session, at_home) | links
    return State(links, customers, await _load_persons(session, links.values()))


def _restored_accounts(links: dict[Key, Link], records: Iterable[Record]) -> set[str]:
    accounts = {record.key for record in records if record.key.record_type == "account" and not record.deleted}
    return {key.record_id for key in accounts if key in links and links[key].deleted}


async def _load_links(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> dict[Key, Link]:
    found = [_link(row) for row in await session.execute(statement)]
    return {link.key: link for link in found}


def _link(row: Row[*tuple[Any, ...]]) -> Link:
    return Link(
        Key(row.record_type, row.record_id),
        row.version,
        row.deleted,
        row.customer_id,
        row.contact_person_id,
        row.own_customer_id,
        row.account_id,
        row.stands_alone,
        row.rank,
        row.fields,
    )


async def _load_customers(
    session: AsyncSession, organization_id: str, ids: Collection[str]
) -> dict[str, KnownCustomer]:
    columns = [_customers.c[name] for name in ("id", "status", "source", "transaction_count", *_CUSTOMER_FIELDS)]
    found = await session.execute(
        select(*columns)
        .where(_customers.c.organization_id == organization_id, _customers.c.id.in_(ids))
        .order_by(_customers.c.id)
        .with_for_update()
    )
    return {
        row["id"]: KnownCustomer(
            id=row["id"],
            fields=ImportedCustomer.model_construct(**{name: row[name] for name in _CUSTOMER_FIELDS}),
            active=row["status"] == "active",
            has_transactions=row["transaction_count"] > 0,
            imported=row["source"] == "crm",
        )
        for row in found.mappings()
    }


async def _load_persons(session: AsyncSession, links: Iterable[Link]) -> dict[str, KnownPerson]:
    ids = {link.contact_person_id for link in links if link.contact_person_id is not None}
    if not ids:
        return {}
    columns = [_persons.c[name] for name in ("id", "customer_id", *_PERSON_FIELDS)]
    found = await session.execute(select(*columns).where(_persons.c.id.in_(ids)))
    return {
        row["id"]: KnownPerson(
            id=row["id"],
            customer_id=row["customer_id"],
            fields=ImportedContactPerson.model_construct(**{name: row[name] for name in _PERSON_FIELDS}),
        )
        for row in found.mappings()
    }


async def write(session: AsyncSession, organization: Organization, changes: Changes, admitted: Admitted) -> None:
    """Write ``changes``; every changed customer's version rises by one.

    ``admitted``: what the new ones, and the others that are recognised by something else now, are recognised by.
    """
    now = utc_now()
    if changes.new_customers:
        common = {
            "organization_id": organization.id,
            "currency_code": organization.currency_code,
            "source": "crm",
            "created_at": now,
            "updated_at": now,
        }
        rows = [
            {"id": one.id, **_fields(one.fields), **admitted.columns(one.id), **common} for one in changes.new_customers
        ]
        await session.execute(insert(_customers), rows)
    await _change_customers(session, [one for one in changes.changed_customers if one.id not in admitted.keys], None)
    await _change_customers(session, [one for one in changes.changed_customers if one.id in admitted.keys], admitted)
    await _write_persons(session, changes)
    await _write_links(session, organization.id, changes)
    if changes.deleted_customers:
        await delete_customers(session, changes.deleted_customers)


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


async def delete_customers(session: AsyncSession, customer_ids: Collection[str]) -> None:
    """Delete customers without persons and documents, and the rows of those merged into them."""
    merged = _customers.c.merged_into.in_(customer_ids)
    await session.execute(delete(_customers).where(_customers.c.id.in_(customer_ids) | merged))


async def _write_persons(session: AsyncSession, changes: Changes) -> None:
    def rows(persons: Iterable[KnownPerson], key: str) -> list[dict[str, object]]:
        return [{key: one.id, "customer_id": one.customer_id, **_fields(one.fields)} for one in persons]

    if changes.new_persons:
        await session.execute(insert(_persons), rows(changes.new_persons, "id"))
    if changes.changed_persons:
        values: dict[str, Any] = {name: bindparam(name) for name in ("customer_id", *_PERSON_FIELDS)}
        changed = update(_persons).where(_persons.c.id == bindparam("key")).values(values)
        await session.execute(changed, rows(changes.changed_persons, "key"))
    if changes.deleted_persons or changes.deleted_customers:
        gone = _persons.c.id.in_(changes.deleted_persons) | _persons.c.customer_id.in_(changes.deleted_customers)
        await session.execute(delete(_persons).where(gone))


async def _write_links(session: AsyncSession, organization_id: str, changes: Changes) -> None:
    if changes.deleted_customers:
        # Of the contacts that the command did not name; they will be heard of again, standing alone (S25).
        await detach_links(session, changes.deleted_customers)
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


async def detach_links(session: AsyncSession, customer_ids: Sequence[str]) -> None:
    """Let no contact be at customers that are going to be deleted; where each record has its home stays known."""
    at = update(_links).where(_links.c.record_type == "contact", _links.c.customer_id.in_(customer_ids))
    await session.execute(at.values(customer_id=None, contact_person_id=None))


def _fields(value: ImportedCustomer | ImportedContactPerson) -> dict[str, object]:
    return {name: getattr(value, name) for name in type(value).model_fields}
