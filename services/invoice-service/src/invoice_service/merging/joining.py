"""Makes one customer of two, and two of one again: their rows, contact persons and CRM links.

After it the records of both customers in the CRM have their home at the one that stays, those of it first by rank
(`crm_plan`): no event or import brings the other one back.
"""

from typing import Any, cast

from contracts.customers import ImportedCustomer
from sqlalchemy import ColumnElement, Select, Table, and_, case, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers.models import ContactPerson, CrmLink, Customer
from invoice_service.customers.queries import WholeCustomer
from invoice_service.merging.models import Merge, merge_records

_links, _persons, _customers = (cast(Table, model.__table__) for model in (CrmLink, ContactPerson, Customer))
_records = merge_records.c


async def join(session: AsyncSession, merge: Merge, gone: WholeCustomer, stays: WholeCustomer) -> None:
    """Bring all but documents and payments of ``gone`` to ``stays``, and write down what moved."""
    goes, remains = gone.customer, stays.customer
    await _join_links(session, merge, goes, remains)
    at = _persons.c.customer_id == goes.id
    await _write_down(session, merge, "contact_person", _persons.c.id, at)
    await session.execute(update(_persons).where(at).values(customer_id=remains.id))
    led_here = _customers.c.merged_into == goes.id
    await _write_down(session, merge, "customer", _customers.c.id, led_here)
    await session.execute(update(_customers).where(led_here).values(merged_into=remains.id))
    if stays.primary_id is not None:
        remains.chosen_primary_id = stays.primary_id
    elif gone.primary_id is not None:
        remains.chosen_primary_id = goes.chosen_primary_id
    remains.transaction_count += goes.transaction_count
    goes.transaction_count = 0
    goes.merged_into, goes.status, goes.chosen_primary_id = remains.id, "inactive", None
    for one in (goes, remains):
        one.touch()
    await session.flush()


async def part(session: AsyncSession, merge: Merge, gone: Customer, stayed: Customer) -> None:
    """Undo `join`."""
    await _part_links(session, merge)
    persons, led_here = _moved(merge, "contact_person"), _moved(merge, "customer")
    await session.execute(update(_persons).where(_persons.c.id.in_(persons)).values(customer_id=gone.id))
    await session.execute(update(_customers).where(_customers.c.id.in_(led_here)).values(merged_into=gone.id))
    gone.merged_into, gone.status, gone.chosen_primary_id = None, merge.from_status, merge.from_primary_id
    gone.transaction_count = merge.from_transactions
    stayed.transaction_count -= merge.from_transactions
    stayed.chosen_primary_id = merge.into_primary_id
    for one in (gone, stayed):
        one.touch()
    await session.flush()


async def changed_since(session: AsyncSession, merge: Merge) -> list[str]:
    """Ids of some contacts of the CRM that by now belong to the other one of the two customers than before."""
    belongs_to_gone = case(
        (_links.c.stands_alone, _links.c.record_id.in_(_moved(merge, "own_contact"))),
        else_=_links.c.account_id.in_(_moved(merge, "account")),
    )
    was_at_gone = _links.c.record_id.in_(_moved(merge, "contact"))
    here = and_(_links.c.customer_id == merge.into_id, ~_account, _live)
    found = select(_links.c.record_id).where(here, belongs_to_gone != was_at_gone)
    return list((await session.execute(found.limit(5))).scalars())


async def _join_links(session: AsyncSession, merge: Merge, goes: Customer, remains: Customer) -> None:
    for customer in (goes, remains):
        first = (await session.execute(_first(customer.id, _links.c.record_type, _links.c.record_id))).first()
        if first is not None:
            said = ImportedCustomer(**{name: getattr(customer, name) for name in ImportedCustomer.model_fields})
            key = _links.c.organization_id == merge.organization_id, _links.c.record_type == first.record_type
            await session.execute(update(_links).where(*key, _links.c.record_id == first.record_id).values(fields=said))
    highest = select(func.max(_links.c.rank)).where(_at_home(remains.id))
    last = (await session.execute(highest)).scalar_one()
    merge.rank_offset = 0 if last is None else last + 1
    at, own = _links.c.customer_id == goes.id, _links.c.own_customer_id == goes.id
    await _write_down(session, merge, "account", _links.c.record_id, and_(at, _account))
    await _write_down(session, merge, "contact", _links.c.record_id, and_(at, ~_account))
    await _write_down(session, merge, "own_contact", _links.c.record_id, own)
    raised = _links.c.rank + merge.rank_offset
    await session.execute(update(_links).where(_at_home(goes.id)).values(rank=raised))
    await session.execute(update(_links).where(own).values(own_customer_id=remains.id))
    await session.execute(update(_links).where(at).values(customer_id=remains.id))


async def _part_links(session: AsyncSession, merge: Merge) -> None:
    ours = update(_links).where(_links.c.organization_id == merge.organization_id)
    accounts = ours.where(_account, _links.c.record_id.in_(_moved(merge, "account")))
    lowered = _links.c.rank - merge.rank_offset
    await session.execute(accounts.values(customer_id=merge.from_id, rank=lowered))
    contacts = ours.where(~_account, _links.c.record_id.in_(_moved(merge, "contact")))
    await session.execute(contacts.values(customer_id=merge.from_id))
    # A contact that was elsewhere and was deleted since is kept at its home.
    kept_at_home = and_(~_live, _links.c.customer_id == merge.into_id)
    at = case((kept_at_home, merge.from_id), else_=_links.c.customer_id)
    own = ours.where(~_account, _links.c.record_id.in_(_moved(merge, "own_contact")))
    await session.execute(own.values(own_customer_id=merge.from_id, customer_id=at, rank=lowered))


async def said_last(session: AsyncSession, customer: Customer) -> ImportedCustomer | None:
    """What the CRM says of the customer by now; None if no live record stands behind it."""
    return (await session.execute(_first(customer.id, _links.c.fields))).scalar_one_or_none()


def _first(customer_id: str, *columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Of the records that uphold the customer the one whose fields count (`crm_plan`)."""
    upholding = and_(_at_home(customer_id), _live, or_(_account, _links.c.stands_alone))
    order = (_links.c.rank, _links.c.record_type, _links.c.record_id)
    return select(*columns).where(upholding).order_by(*order).limit(1)


_account: ColumnElement[bool] = _links.c.record_type == "account"
_live: ColumnElement[bool] = _links.c.deleted.is_(False)


def _at_home(customer_id: str) -> ColumnElement[bool]:
    return or_(and_(_account, _links.c.customer_id == customer_id), _links.c.own_customer_id == customer_id)


async def _write_down(
    session: AsyncSession, merge: Merge, kind: str, record_id: ColumnElement[str], which: ColumnElement[bool]
) -> None:
    rows = select(literal(merge.id), literal(kind), record_id, literal(0)).where(which)
    await session.execute(insert(merge_records).from_select(["merge_id", "kind", "record_id", "version"], rows))


def _moved(merge: Merge, kind: str) -> Select[str]:
    return select(_records.record_id).where(_records.merge_id == merge.id, _records.kind == kind)
