"""Use cases: customers that people keep.

All but the counting of transactions hold the lock of the organization: customers are written one after the other, which
finding duplicates, commands of the CRM and merging stand on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from contracts.values import Address
from servicekit import outbox, search
from servicekit.db import new_id
from servicekit.errors import Invalid, invalid_field
from servicekit.etags import check_version
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import crm_owned, crm_writing, duplicates, events, queries
from invoice_service.customers.contact_persons import Replaced, replace_manual
from invoice_service.customers.models import Customer, CustomerAlreadyMerged
from invoice_service.customers.queries import SEARCH_KIND, CustomerNotFound, WholeCustomer
from invoice_service.customers.schemas import ContactPersonBody, CustomerBody, CustomerEdit
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.models import Organization
from invoice_service.plans import service as plans

CustomerStatus = Literal["active", "inactive"]


@dataclass(frozen=True)
class Edited:
    """The customer after an edit; ``warnings``: what of it the CRM will overwrite (S27)."""

    whole: WholeCustomer
    warnings: Sequence[str] = ()


async def create(session: AsyncSession, organization: Organization, body: CustomerBody) -> WholeCustomer:
    """A new customer, made by hand. Raises `PlanCapReached`."""
    await organizations.get(session, organization.id, lock=True)
    await plans.check_customers(session, organization)
    values = _values(body.model_dump(exclude={"contact_persons"}))
    values["currency_code"] = values["currency_code"] or organization.currency_code
    customer = Customer(id=new_id(), organization_id=organization.id, source="manual", **values)
    session.add(customer)
    await session.flush()
    await replace_manual(session, WholeCustomer(customer), body.contact_persons)
    await duplicates.keep(session, customer)
    whole = (await queries.complete(session, [customer]))[0]
    outbox.record(session, events.created(whole))
    await search.index(session, SEARCH_KIND, {customer.id: whole.search_texts}, new=True)
    return whole


async def edit(
    session: AsyncSession,
    organization: Organization,
    customer_id: str,
    body: CustomerEdit,
    *,
    expected_version: int | None,
) -> Edited:
    """Change what was sent (S1: only here).

    Raises `CustomerNotFound`, `PreconditionFailed`, `CustomerCurrencyInUse`, `Invalid`.
    """
    before = await _lock(session, organization, customer_id)
    customer = before.customer
    check_version(expected_version, customer.version)
    if "currency_code" in body.model_fields_set:
        customer.check_currency(body.currency_code)
    fields = customer.change(**_values(body.model_dump(exclude_unset=True, exclude={"contact_persons"})))
    persons = Replaced(changed=False, fields={})
    if "contact_persons" in body.model_fields_set:
        persons = await replace_manual(session, before, body.contact_persons)
    return await _edited(session, before, fields, persons)


async def edit_person(
    session: AsyncSession,
    organization: Organization,
    customer_id: str,
    person_id: str | None,
    body: ContactPersonBody | None,
    *,
    expected_version: int | None,
) -> Edited:
    """Change one contact person, add one (without ``person_id``), or take one out (without ``body``).

    The others stay as they are, and where they are. Raises `CustomerNotFound`, `PreconditionFailed`, `Invalid`.
    """
    before = await _lock(session, organization, customer_id)
    check_version(expected_version, before.customer.version)
    sent = body if body is None or person_id is None else body.model_copy(update={"id": person_id})
    persons = [sent if one.id == person_id else ContactPersonBody(id=one.id) for one in before.persons]
    if person_id is None:
        persons.append(sent)
    kept = [person for person in persons if person is not None]
    return await _edited(session, before, [], await replace_manual(session, before, kept))


async def _edited(session: AsyncSession, before: WholeCustomer, fields: Sequence[str], persons: Replaced) -> Edited:
    """The customer after what was changed, told and found anew."""
    customer = before.customer
    if persons.changed and not fields:
        customer.touch()
    if not (fields or persons.changed):
        return Edited(before)
    await session.flush()
    await duplicates.keep(session, customer)
    whole = (await queries.complete(session, [customer]))[0]
    outbox.record(session, events.updated(whole))
    await search.index(session, SEARCH_KIND, {customer.id: whole.search_texts})
    return Edited(whole, crm_owned.warnings(whole, fields, persons.fields))


async def set_status(
    session: AsyncSession,
    organization: Organization,
    customer_id: str,
    status: CustomerStatus,
    *,
    expected_version: int | None,
) -> WholeCustomer:
    """Let it get new documents, or none any more; if it is so already, nothing changes.

    Raises `CustomerNotFound`, `PreconditionFailed`.
    """
    whole = await _lock(session, organization, customer_id)
    check_version(expected_version, whole.customer.version)
    if whole.customer.change(status=status):
        await session.flush()
        await duplicates.keep(session, whole.customer)
        outbox.record(session, events.updated(whole))
    return whole


async def remove(
    session: AsyncSession, organization: Organization, customer_id: str, *, expected_version: int | None
) -> None:
    """Delete a customer made by hand (S28).

    By the id of one that was merged it is not the one that stayed: what was to go has gone. Raises `CustomerNotFound`,
    `CustomerAlreadyMerged`, `PreconditionFailed`, `CustomerIsImported`, `CustomerHasTransactions`.
    """
    whole = await _lock(session, organization, customer_id)
    customer = whole.customer
    if customer.id != customer_id:
        raise CustomerAlreadyMerged(
            f"this customer was merged, and is customer {customer.customer_name!r} ({customer.id}) now; undo that, or "
            "delete the other one by its own id",
            customer_id=customer_id,
            merged_into=customer.id,
        )
    check_version(expected_version, customer.version)
    if (refusal := customer.refuse_delete(imported=bool(whole.links))) is not None:
        raise refusal
    await crm_writing.delete_for_good(session, customer.id)
    outbox.record(session, events.deleted(whole))
    await search.index(session, SEARCH_KIND, {customer.id: ()})


async def _lock(session: AsyncSession, organization: Organization, customer_id: str) -> WholeCustomer:
    await organizations.get(session, organization.id, lock=True)
    return await queries.get(session, organization.id, customer_id, lock=True)


async def count_transaction(
    session: AsyncSession, organization_id: str, customer_id: str, *, by: int = 1
) -> Customer | None:
    """Count a document or payment in (1) or out (-1) of the customer's transactions; None if it is not there.

    For the id of a customer that was merged it is the one that stayed (S29). Locks the customer until the transaction
    ends: it cannot go away, become inactive or be merged meanwhile.
    """
    wanted: str | None = customer_id
    while wanted is not None:
        counted = await session.execute(
            update(Customer)
            .where(Customer.organization_id == organization_id, Customer.id == wanted, Customer.merged_into.is_(None))
            .values(transaction_count=Customer.transaction_count + by)
            .returning(Customer),
            execution_options={"synchronize_session": False, "populate_existing": True},
        )
        if (customer := counted.scalar_one_or_none()) is not None:
            return customer
        wanted = await queries.merged_into(session, organization_id, wanted)
    return None


async def use(session: AsyncSession, organization_id: str, customer_id: str, *, field: str) -> Customer:
    """The customer for a new document, counted and locked. Raises `Invalid` for ``field``, `CustomerInactive`."""
    customer = await count_transaction(session, organization_id, customer_id)
    if customer is None:
        raise _nobody(customer_id, field)
    return _used(customer)


async def usable(session: AsyncSession, organization_id: str, customer_id: str, *, field: str) -> Customer:
    """The customer that `use` would give now, neither counted nor locked. Raises as `use` does."""
    try:
        customer = await queries.find(session, organization_id, customer_id)
    except CustomerNotFound:
        raise _nobody(customer_id, field) from None
    return _used(customer)


def _nobody(customer_id: str, field: str) -> Invalid:
    return invalid_field(field, f"there is no customer {customer_id} in this organization", code=CustomerNotFound.code)


def _used(customer: Customer) -> Customer:
    if (refusal := customer.refuse_use()) is not None:
        raise refusal
    return customer


def _values(sent: dict[str, Any]) -> dict[str, Any]:
    """The body's fields as the model's attributes."""
    addresses = {name: Address(**sent[name]) for name in ("billing_address", "shipping_address") if name in sent}
    return sent | addresses
