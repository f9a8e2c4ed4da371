"""Use cases: record, correct and delete payments.

Guarantee: what payments allocate to an invoice is its ``amount_paid``, always. Locks are taken in one order: customer,
payments, invoices by id.
"""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from contracts.payments import PaymentRecorded
from contracts.values import check_amount
from servicekit import outbox
from servicekit.auth import Principal
from servicekit.db import new_id
from servicekit.errors import invalid_field
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import queries as customer_queries
from invoice_service.customers import service as customers
from invoice_service.customers.models import ChangedMeanwhile, Customer
from invoice_service.documents import queries as documents
from invoice_service.invoices.models import INVOICES
from invoice_service.organizations.models import Organization
from invoice_service.payments import allocating, events, queries, telling
from invoice_service.payments.allocating import Wanted
from invoice_service.payments.models import Payment
from invoice_service.payments.queries import WholePayment
from invoice_service.payments.schemas import InvoicePaymentBody, PaymentBody, PaymentEdit


async def record(
    session: AsyncSession, organization: Organization, principal: Principal, body: PaymentBody, *, today: datetime.date
) -> WholePayment:
    """Money received, for none, one or several invoices. Raises `Invalid`, or a `Conflict`."""
    _check_date(body.date, today)
    customer = await _customer(session, organization, body.customer_id)
    currency_code = body.currency_code or customer.currency_code
    amount = positive(body.amount, currency_code)
    wanted = allocating.wanted(body.invoices, currency_code, of=amount)
    payment = _new(organization, principal, customer, body, amount, currency_code, today)
    return await _insert(session, principal, payment, wanted, today)


async def record_for_invoice(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    invoice_id: str,
    body: InvoicePaymentBody,
    *,
    today: datetime.date,
) -> WholePayment:
    """Money received for one invoice. Raises `InvoiceNotFound`, `Invalid`, or a `Conflict`."""
    _check_date(body.date, today)
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
    if (refusal := invoice.refuse_payment()) is not None:
        raise refusal
    customer = await _customer(session, organization, invoice.customer_id)
    currency_code = body.currency_code or invoice.currency_code
    amount = positive(body.amount, currency_code)
    payment = _new(organization, principal, customer, body, amount, currency_code, today)
    wanted = [Wanted(0, invoice_id, amount, up_to_balance=body.excess_as_credit)]
    return await _insert(session, principal, payment, wanted, today)


async def edit(
    session: AsyncSession,
    organization: Organization,
    payment_id: str,
    body: PaymentEdit,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholePayment:
    """Change what was sent. Raises `PaymentNotFound`, `PreconditionFailed`, `Invalid`."""
    _check_date(body.date, today)
    payment = await queries.find(session, organization.id, payment_id, lock=True)
    check_version(expected_version, payment.version)
    changed = payment.change(**body.model_dump(exclude_unset=True))
    await session.flush()
    whole = await queries.whole(session, payment)
    if changed:
        await telling.updated(session, [whole])
    return whole


async def remove(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    payment_id: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> None:
    """Delete a payment: its invoices are again what they were without it. Raises `PaymentNotFound`, or a `Conflict`."""
    payment = await lock(session, organization, payment_id, count=-1)
    check_version(expected_version, payment.version)
    (last,) = await telling.snapshots(session, [await queries.whole(session, payment)])
    await allocating.take_back(session, principal, payment, today=today, what="payment of {} deleted")
    await session.delete(payment)
    await session.flush()
    outbox.record(session, events.deleted(last))


async def lock(session: AsyncSession, organization: Organization, payment_id: str, *, count: int = 0) -> Payment:
    """The payment, locked after its customer. Raises `PaymentNotFound`, `ChangedMeanwhile`."""
    seen = await queries.find(session, organization.id, payment_id)
    customer = await customers.count_transaction(session, organization.id, seen.customer_id, by=count)
    payment = await queries.find(session, organization.id, payment_id, lock=True)
    if customer is None or payment.customer_id != customer.id:
        raise ChangedMeanwhile("the payment's customer was merged just now; try again", payment_id=payment_id)
    return payment


def positive(amount: Decimal, currency_code: str, field: str = "amount") -> Decimal:
    """The amount, exact in the currency. Raises `Invalid` if it is not, or not above 0."""
    try:
        exact = check_amount(amount, currency_code)
    except ValueError as error:
        raise invalid_field(field, str(error)) from None
    if exact <= 0:
        raise invalid_field(field, "must be more than 0", code="amount_not_positive")
    return exact


def _check_date(date: datetime.date | None, today: datetime.date) -> None:
    """Money is not received in the future; in the east of the world it may be tomorrow already."""
    if date is not None and date > today + datetime.timedelta(days=1):
        raise invalid_field("date", f"must not be in the future; today is {today}")


async def _customer(session: AsyncSession, organization: Organization, customer_id: str) -> Customer:
    customer = await customers.count_transaction(session, organization.id, customer_id)
    if customer is None:
        message = f"there is no customer {customer_id} in this organization"
        raise invalid_field("customer_id", message, code=customer_queries.CustomerNotFound.code)
    return customer


def _new(
    organization: Organization,
    principal: Principal,
    customer: Customer,
    body: PaymentBody | InvoicePaymentBody,
    amount: Decimal,
    currency_code: str,
    today: datetime.date,
) -> Payment:
    return Payment(
        id=new_id(),
        organization_id=organization.id,
        customer_id=customer.id,
        date=body.date or today,
        amount=amount,
        unused_amount=amount,
        currency_code=currency_code,
        payment_mode=body.payment_mode,
        reference_number=body.reference_number,
        notes=body.notes,
        created_by=principal.name,
    )


async def _insert(
    session: AsyncSession, principal: Principal, payment: Payment, wanted: Sequence[Wanted], today: datetime.date
) -> WholePayment:
    session.add(payment)
    await session.flush()
    await allocating.allocate(session, principal, payment, wanted, today=today, what="payment of {} recorded")
    whole = await queries.whole(session, payment)
    (data,) = await telling.snapshots(session, [whole])
    outbox.record(session, PaymentRecorded(data=data))
    return whole
