"""Reads the state that CRM records may touch, and writes its changes: a fixed number of statements for any number."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from contracts.customers import CrmRecordType, ImportedContactPerson, ImportedCustomer
from servicekit.db import utc_now
from sqlalchemy import Row, Select, Table, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import departed
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


async def load(session: AsyncSession, organization_id: str, records: Sequence[Record], *, lock: bool = True) -> State:
    """All that ``records`` may touch; ``lock``: its customers, until the transaction ends."""
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
    customers = await _load_customers(session, organization_id, customer_ids, lock=lock)
    account_at_home = (_links.c.record_type == "account") & _links.c.customer_id.in_(customer_ids)
    at_home = ours.where(account_at_home | _links.c.own_customer_id.in_(customer_ids))
    links = await _load_links(session, at_home) | links
    gone = {link.home for link in links.values() if link.home is not None} - customers.keys()
    persons = await _load_persons(session, links.values())
    went = {link.contact_person_id for link in links.values() if link.account_id in restored} - persons.keys() - {None}
    return State(
        links,
        customers,
        persons,
        await departed.which(session, gone),
        await departed.persons(session, [id_ for id_ in went if id_ is not None]),
    )


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
    session: AsyncSession, organization_id: str, ids: Collection[str], *, lock: bool
) -> dict[str, KnownCustomer]:
    columns = [_customers.c[name] for name in ("id", "status", "source", "transaction_count", *_CUSTOMER_FIELDS)]
    theirs = (_customers.c.organization_id == organization_id, _customers.c.id.in_(ids))
    statement = select(*columns).where(*theirs).order_by(_customers.c.id)
    found = await session.execute(statement.with_for_update() if lock else statement)
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
    await _empty(session, changes)
    await _make_customers(session, organization, changes, admitted)
    await _change_customers(session, [one for one in changes.changed_customers if one.id not in admitted.keys], None)
    await _change_customers(session, [one for one in changes.changed_customers if one.id in admitted.keys], admitted)
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
