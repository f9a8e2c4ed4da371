"""Reads the state that CRM records may touch: a fixed number of statements for any number of records."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from contracts.customers import CrmRecordType, ImportedContactPerson, ImportedCustomer
from sqlalchemy import JSON, Select, Table, select, type_coerce, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import departed
from invoice_service.customers.crm_state import Key, KnownCustomer, KnownPerson, Link, Record, State
from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.customers.rows import among

_customers, _persons, _links = (cast(Table, model.__table__) for model in (Customer, ContactPerson, CrmLink))
_CUSTOMER_FIELDS = tuple(ImportedCustomer.model_fields)
_ADDRESSES = ("billing_address", "shipping_address")
_PERSON_FIELDS = tuple(ImportedContactPerson.model_fields)
_LINK_COLUMNS = (
    "record_type",
    "record_id",
    "version",
    "deleted",
    "customer_id",
    "contact_person_id",
    "own_customer_id",
    "account_id",
    "stands_alone",
    "rank",
    "fields",
)


async def links_of(session: AsyncSession, organization_id: str, keys: Iterable[Key]) -> dict[Key, Link]:
    """What these CRM records are here, as far as they are known."""
    named: dict[CrmRecordType, list[str]] = {"account": [], "contact": []}
    for key in keys:
        named[key.record_type].append(key.record_id)
    found: dict[Key, Link] = {}
    for kind, ids in named.items():
        if ids:
            of_these = (_links.c.record_type == kind, among(session, _links.c.record_id, ids))
            found |= await _load_links(session, _ours(organization_id).where(*of_these))
    return found


async def load(
    session: AsyncSession,
    organization_id: str,
    records: Sequence[Record],
    known: Mapping[Key, Link],
    *,
    lock: bool = True,
) -> State:
    """All that ``records`` may touch; ``lock``: its customers, until the transaction ends.

    ``known``: their links, and those of records that say nothing new.
    """
    links = {record.key: known[record.key] for record in records if record.key in known}
    accounts = {Key("account", record.account_id) for record in records if record.account_id is not None}
    links |= await links_of(session, organization_id, accounts - links.keys())
    restored = [key.record_id for key in _restored_accounts(links, records)]
    if restored:
        waiting = _ours(organization_id).where(among(session, _links.c.account_id, restored), ~_links.c.deleted)
        links |= await _load_links(session, waiting)
    customer_ids = {id_ for link in links.values() for id_ in (link.customer_id, link.own_customer_id) if id_}
    customers = await _load_customers(session, organization_id, customer_ids, lock=lock)
    links = await _links_at_home(session, organization_id, customer_ids) | links
    persons = await _load_persons(session, {link.contact_person_id for link in links.values()} - {None})
    gone = {link.home for link in links.values() if link.home is not None} - customers.keys()
    others = {link.customer_id for key, link in known.items() if key not in links} - customers.keys() - {None}
    names = await _load_names(session, organization_id, others)
    went = {link.contact_person_id for link in links.values() if link.account_id in restored} - persons.keys() - {None}
    return State(
        {**known, **links},
        customers,
        persons,
        await departed.which(session, gone),
        names,
        await departed.persons(session, [id_ for id_ in went if id_ is not None]),
    )


def _restored_accounts(links: Mapping[Key, Link], records: Iterable[Record]) -> set[Key]:
    accounts = {record.key for record in records if record.key.record_type == "account" and not record.deleted}
    return {key for key in accounts if key in links and links[key].deleted}


def _ours(organization_id: str) -> Select[*tuple[Any, ...]]:
    columns = [_links.c[name] for name in _LINK_COLUMNS]
    return select(*columns).where(_links.c.organization_id == organization_id)


async def _load_links(session: AsyncSession, statement: Any) -> dict[Key, Link]:
    found = [Link(Key(kind, id_), *others) for kind, id_, *others in await session.execute(statement)]
    return {link.key: link for link in found}


async def _links_at_home(session: AsyncSession, organization_id: str, customer_ids: Collection[str]) -> dict[Key, Link]:
    if not customer_ids:
        return {}
    ours = _ours(organization_id)
    at_accounts = (_links.c.record_type == "account", among(session, _links.c.customer_id, customer_ids))
    their_own = among(session, _links.c.own_customer_id, customer_ids)
    return await _load_links(session, union_all(ours.where(*at_accounts), ours.where(their_own)))


async def _load_customers(
    session: AsyncSession, organization_id: str, ids: Collection[str], *, lock: bool
) -> dict[str, KnownCustomer]:
    if not ids:
        return {}
    # Addresses as they are stored: they become values with the other fields, at once.
    fields = [_customers.c[name] for name in _CUSTOMER_FIELDS]
    stored = [type_coerce(one, JSON).label(one.name) if one.name in _ADDRESSES else one for one in fields]
    statement = (
        select(_customers.c.id, _customers.c.status, _customers.c.source, _customers.c.transaction_count, *stored)
        .where(_customers.c.organization_id == organization_id, among(session, _customers.c.id, ids))
        .order_by(_customers.c.id)
    )
    found = await session.execute(statement.with_for_update() if lock else statement)
    return {
        id_: KnownCustomer(
            id_,
            ImportedCustomer.model_validate(dict(zip(_CUSTOMER_FIELDS, values, strict=True))),
            active=status == "active",
            has_transactions=transactions > 0,
            imported=source == "crm",
        )
        for id_, status, source, transactions, *values in found
    }


async def _load_persons(session: AsyncSession, ids: Collection[str | None]) -> dict[str, KnownPerson]:
    if not ids:
        return {}
    columns = [_persons.c[name] for name in ("id", "customer_id", *_PERSON_FIELDS)]
    these = among(session, _persons.c.id, [id_ for id_ in ids if id_ is not None])
    found = await session.execute(select(*columns).where(these))
    return {
        id_: KnownPerson(
            id_, customer_id, ImportedContactPerson.model_validate(dict(zip(_PERSON_FIELDS, values, strict=True)))
        )
        for id_, customer_id, *values in found
    }


async def _load_names(session: AsyncSession, organization_id: str, ids: Collection[str | None]) -> dict[str, str]:
    if not ids:
        return {}
    these = among(session, _customers.c.id, [id_ for id_ in ids if id_ is not None])
    named = select(_customers.c.id, _customers.c.customer_name)
    found = await session.execute(named.where(_customers.c.organization_id == organization_id, these))
    return {id_: name for id_, name in found}  # noqa: C416
