"""Use cases: a customer's credit, which is what is left of payments, used for invoices and taken off them."""

import datetime
from decimal import Decimal

from servicekit.auth import Principal
from servicekit.etags import check_version
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import service as customers
from invoice_service.documents import drafting
from invoice_service.documents import queries as documents
from invoice_service.documents.queries import WholeDocument
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.line_items import money
from invoice_service.organizations.models import Organization
from invoice_service.payments import allocating, queries, service, telling
from invoice_service.payments.models import CreditExceeded, Payment
from invoice_service.payments.queries import WholePayment
from invoice_service.payments.schemas import AllocationsBody

MOST_PAYMENTS = 200
"""So many payments' credit is used at once, the oldest first."""


async def apply(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    payment_id: str,
    body: AllocationsBody,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholePayment:
    """Use credit of one payment for invoices. Raises `PaymentNotFound`, `Invalid`, or a `Conflict`."""
    payment = await service.lock(session, organization, payment_id)
    check_version(expected_version, payment.version)
    wanted = allocating.wanted(body.invoices, payment.currency_code, of=payment.unused_amount)
    await allocating.allocate(session, principal, payment, wanted, today=today, what="credit of {} applied")
    return await _told(session, payment)


async def release(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    payment_id: str,
    invoice_id: str,
    *,
    expected_version: int | None,
    today: datetime.date,
) -> WholePayment:
    """Make what the payment pays of an invoice credit again. Raises `PaymentNotFound`, `InvoiceNotFound`."""
    payment = await service.lock(session, organization, payment_id)
    check_version(expected_version, payment.version)
    what = "payment of {} taken off, kept as credit"
    await allocating.take_back(session, principal, payment, invoice_id=invoice_id, today=today, what=what)
    return await _told(session, payment)


async def use_for(
    session: AsyncSession,
    organization: Organization,
    principal: Principal,
    invoice_id: str,
    amount: Decimal | None,
    *,
    today: datetime.date,
) -> WholeDocument[Invoice]:
    """Pay an invoice out of its customer's credit, the oldest first; ``amount``: as much as possible, if None.

    A fixed number of statements, however many payments it takes. Raises `InvoiceNotFound`, `Invalid`, `NoCredit`,
    `CreditExceeded`, or another `Conflict`.
    """
    seen = await documents.find(session, INVOICES, organization.id, invoice_id)
    currency = seen.currency_code
    if amount is not None:
        amount = service.positive(amount, currency)
    customer = await customers.count_transaction(session, organization.id, seen.customer_id, by=0)
    payments = [] if customer is None else await _with_credit(session, customer.id, currency)
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id, lock=True)
    drafting.check_customer(invoice, customer)
    credit = sum((payment.unused_amount for payment in payments), Decimal(0))
    if (refusal := invoice.refuse_credit(has_credit=bool(credit))) is not None:
        raise refusal
    if amount is not None and amount > credit:
        raise CreditExceeded(
            f"{money(amount, currency)} is more than the customer's credit of {money(credit, currency)} {currency}",
            invoice_id=invoice.id,
            credit=money(credit, currency),
        )
    wanted = min(credit, invoice.balance) if amount is None else amount
    await allocating.spend(session, principal, payments, invoice, wanted, today=today)
    return await documents.whole(session, INVOICES, invoice)


async def _with_credit(session: AsyncSession, customer_id: str, currency_code: str) -> list[Payment]:
    found = await session.execute(
        select(Payment)
        .where(
            Payment.customer_id == customer_id,
            Payment.currency_code == currency_code,
            Payment.unused_amount > 0,
        )
        .order_by(Payment.id)
        .limit(MOST_PAYMENTS)
        .with_for_update(),
        execution_options={"populate_existing": True},
    )
    return list(found.scalars())


async def _told(session: AsyncSession, payment: Payment) -> WholePayment:
    payment.touch()
    await session.flush()
    whole = await queries.whole(session, payment)
    await telling.updated(session, [whole])
    return whole
