"""Use cases: customers that people keep."""

from typing import Any

from contracts.values import Address
from servicekit import outbox, search
from servicekit.db import new_id
from servicekit.errors import invalid_field
from servicekit.etags import check_version
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import crm_store, events, queries
from invoice_service.customers.contact_persons import replace_manual
from invoice_service.customers.models import ContactPerson, Customer
from invoice_service.customers.queries import SEARCH_KIND, CustomerNotFound, WholeCustomer
from invoice_service.customers.schemas import CustomerBody, CustomerEdit
from invoice_service.organizations.models import Organization


async def create(session: AsyncSession, organization: Organization, body: CustomerBody) -> WholeCustomer:
    """A new customer, made by hand."""
    values = _values(body.model_dump(exclude={"contact_persons"}))
    values["currency_code"] = values["currency_code"] or organization.currency_code
    customer = Customer(id=new_id(), organization_id=organization.id, source="manual", **values)
    session.add(customer)
    await session.flush()
    await replace_manual(session, WholeCustomer(customer), body.contact_persons)
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
) -> WholeCustomer:
    """Change what was sent (S1: only here). Raises `CustomerNotFound`, `PreconditionFailed`, `Invalid`."""
    before = await queries.get(session, organization.id, customer_id, lock=True)
    customer = before.customer
    check_version(expected_version, customer.version)
    changed = bool(customer.change(**_values(body.model_dump(exclude_unset=True, exclude={"contact_persons"}))))
    if "contact_persons" in body.model_fields_set and await replace_manual(session, before, body.contact_persons):
        if not changed:
            customer.touch()
        changed = True
    if not changed:
        return before
    await session.flush()
    whole = (await queries.complete(session, [customer]))[0]
    outbox.record(session, events.updated(whole))
    await search.index(session, SEARCH_KIND, {customer.id: whole.search_texts})
    return whole


async def remove(
    session: AsyncSession, organization: Organization, customer_id: str, *, expected_version: int | None
) -> None:
    """Delete a customer made by hand (S28).

    Raises `CustomerNotFound`, `PreconditionFailed`, `CustomerIsImported`, `CustomerHasTransactions`.
    """
    whole = await queries.get(session, organization.id, customer_id, lock=True)
    check_version(expected_version, whole.customer.version)
    whole.customer.check_deletable(imported=bool(whole.links))
    await crm_store.detach_links(session, [customer_id])
    await session.execute(delete(ContactPerson).where(ContactPerson.customer_id == customer_id))
    await session.execute(delete(Customer).where(Customer.id == customer_id))
    outbox.record(session, events.deleted(whole))
    await search.index(session, SEARCH_KIND, {customer_id: ()})


async def count_transaction(
    session: AsyncSession, organization_id: str, customer_id: str, *, by: int = 1
) -> Customer | None:
    """Count a document or payment in (1) or out (-1) of the customer's transactions; None if it is not there.

    Locks the customer until the transaction ends: it cannot go away or become inactive meanwhile.
    """
    counted = await session.execute(
        update(Customer)
        .where(Customer.organization_id == organization_id, Customer.id == customer_id)
        .values(transaction_count=Customer.transaction_count + by)
        .returning(Customer),
        execution_options={"synchronize_session": False, "populate_existing": True},
    )
    return counted.scalar_one_or_none()


async def use(session: AsyncSession, organization_id: str, customer_id: str, *, field: str) -> Customer:
    """The customer for a new document, counted and locked. Raises `Invalid` for ``field``, `CustomerInactive`."""
    customer = await count_transaction(session, organization_id, customer_id)
    if customer is None:
        message = f"there is no customer {customer_id} in this organization"
        raise invalid_field(field, message, code=CustomerNotFound.code)
    customer.check_usable()
    return customer


def _values(sent: dict[str, Any]) -> dict[str, Any]:
    """The body's fields as the model's attributes."""
    addresses = {name: Address(**sent[name]) for name in ("billing_address", "shipping_address") if name in sent}
    return sent | addresses
