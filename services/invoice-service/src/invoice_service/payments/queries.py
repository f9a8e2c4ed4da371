"""Reading payments with what they are for."""

import datetime
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers.queries import stayed
from invoice_service.invoices.models import Invoice
from invoice_service.payments.models import Payment, PaymentAllocation, PaymentNotFound


@dataclass(frozen=True)
class Allocated:
    """What of a payment is for an invoice."""

    invoice_id: str
    invoice_number: str
    amount: Decimal


@dataclass(frozen=True)
class WholePayment:
    """A payment with its allocations, by invoice number."""

    payment: Payment
    allocations: list[Allocated]


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None means any. ``has_credit``: some of it is not used yet."""

    customer_id: str | None = None
    invoice_id: str | None = None
    date_from: datetime.date | None = None
    date_to: datetime.date | None = None
    has_credit: bool | None = None


async def find(session: AsyncSession, organization_id: str, payment_id: str, *, lock: bool = False) -> Payment:
    """One payment; ``lock``: until the transaction ends. Raises `PaymentNotFound`."""
    statement = select(Payment).where(Payment.organization_id == organization_id, Payment.id == payment_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    payment = (await session.execute(statement)).scalar_one_or_none()
    if payment is None:
        raise PaymentNotFound(f"there is no payment {payment_id} in this organization", payment_id=payment_id)
    return payment


async def whole(session: AsyncSession, payment: Payment) -> WholePayment:
    """The payment with its allocations."""
    return WholePayment(payment, (await allocations_of(session, [payment.id]))[payment.id])


async def allocations_of(session: AsyncSession, payment_ids: Collection[str]) -> dict[str, list[Allocated]]:
    """Payment id → its allocations, by invoice number; in one statement."""
    found = await session.execute(
        select(PaymentAllocation.payment_id, Invoice.id, Invoice.invoice_number, PaymentAllocation.amount)
        .join(Invoice, Invoice.id == PaymentAllocation.invoice_id)
        .where(PaymentAllocation.payment_id.in_(payment_ids))
        .order_by(Invoice.number)
    )
    allocations: dict[str, list[Allocated]] = defaultdict(list)
    for payment_id, invoice_id, number, amount in found:
        allocations[payment_id].append(Allocated(invoice_id, number, amount))
    return allocations


async def page(
    session: AsyncSession, organization_id: str, request: PageRequest, filters: Filters
) -> tuple[list[WholePayment], str | None]:
    """A page of payments, newest first."""
    statement = select(Payment).where(Payment.organization_id == organization_id)
    if filters.customer_id is not None:
        statement = statement.where(Payment.customer_id == stayed(organization_id, filters.customer_id))
    if filters.invoice_id is not None:
        for_it = select(PaymentAllocation.payment_id).where(PaymentAllocation.invoice_id == filters.invoice_id)
        statement = statement.where(Payment.id.in_(for_it))
    if filters.date_from is not None:
        statement = statement.where(Payment.date >= filters.date_from)
    if filters.date_to is not None:
        statement = statement.where(Payment.date <= filters.date_to)
    if filters.has_credit is not None:
        statement = statement.where(Payment.unused_amount > 0 if filters.has_credit else Payment.unused_amount == 0)
    found, cursor = await fetch_page(
        session, statement, keys=[Payment.id], page=request, key_of=lambda payment: [payment.id]
    )
    allocations = await allocations_of(session, [payment.id for payment in found])
    return [WholePayment(payment, allocations[payment.id]) for payment in found], cursor
