"""What of a payment is for which invoices: allocated, and taken back."""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from contracts.documents import InvoiceStatus, InvoiceStatusChanged, InvoiceUpdated
from contracts.values import check_amount
from servicekit.auth import Principal
from servicekit.errors import Conflict, invalid_field
from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.documents import drafting
from invoice_service.invoices import events as invoices
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.invoices.refusals import InvoiceNotFound
from invoice_service.line_items import money
from invoice_service.payments import telling
from invoice_service.payments.models import Payment, PaymentAllocation, PaymentCurrencyDiffers
from invoice_service.payments.schemas import AllocationBody


class InvoiceOfAnotherCustomer(Conflict):
    code = "invoice_of_another_customer"


@dataclass(frozen=True)
class Wanted:
    """An allocation asked for at ``position``. ``up_to_balance``: no more than is owed, the rest stays credit."""

    position: int
    invoice_id: str
    amount: Decimal
    up_to_balance: bool = False


def wanted(sent: Sequence[AllocationBody], currency_code: str, *, of: Decimal) -> list[Wanted]:
    """The allocations asked for of an amount. Raises `Invalid`."""
    found: list[Wanted] = []
    for position, one in enumerate(sent):
        field = f"invoices.{position}"
        if any(one.invoice_id == other.invoice_id for other in found):
            raise invalid_field(f"{field}.invoice_id", "is named twice")
        try:
            amount = check_amount(one.amount, currency_code)
        except ValueError as error:
            raise invalid_field(f"{field}.amount", str(error)) from None
        if amount <= 0:
            raise invalid_field(f"{field}.amount", "must be more than 0", code="amount_not_positive")
        found.append(Wanted(position, one.invoice_id, amount))
    total = sum((one.amount for one in found), Decimal(0))
    if total > of:
        message = f"come to {money(total, currency_code)}, more than the {money(of, currency_code)} there are for them"
        raise invalid_field("invoices", message, code="allocations_exceed_payment")
    return found


async def allocate(
    session: AsyncSession,
    principal: Principal,
    payment: Payment,
    allocations: Sequence[Wanted],
    *,
    today: datetime.date,
    what: str,
) -> None:
    """Use the payment's credit for invoices, and tell of these; ``what`` goes into their history, {} is the amount.

    Raises `Invalid` for an invoice that is not there, or a `Conflict`.
    """
    if not allocations:
        return
    found = await _lock(session, payment.organization_id, [one.invoice_id for one in allocations])
    amounts: dict[str, Decimal] = {}
    statuses = {invoice.id: invoice.status_on(today) for invoice in found.values()}
    for one in allocations:
        invoice = found.get(one.invoice_id)
        if invoice is None:
            message = f"there is no invoice {one.invoice_id} in this organization"
            raise invalid_field(f"invoices.{one.position}.invoice_id", message, code=InvoiceNotFound.code)
        _check(payment, invoice)
        amount = min(one.amount, invoice.balance) if one.up_to_balance and invoice.balance else one.amount
        invoice.pay(amount, principal, today)
        payment.spend(amount)
        amounts[invoice.id] = amount
    await _add(session, {(payment.id, invoice_id): amount for invoice_id, amount in amounts.items()})
    await _written(session, principal, payment, amounts, found, statuses, today, what)


async def spend(
    session: AsyncSession,
    principal: Principal,
    payments: Sequence[Payment],
    invoice: Invoice,
    amount: Decimal,
    *,
    today: datetime.date,
) -> None:
    """Pay ``amount`` of the locked invoice out of the locked payments' credit, in their order, and tell of all.

    The payments have as much credit together. Raises a `Conflict`.
    """
    was = invoice.status_on(today)
    invoice.pay(amount, principal, today)
    used: dict[str, Decimal] = {}
    left = amount
    for payment in payments:
        part = min(left, payment.unused_amount)
        if part:
            payment.spend(part)
            payment.touch()
            used[payment.id] = part
            left -= part
    await _add(session, {(payment_id, invoice.id): part for payment_id, part in used.items()})
    await session.flush()
    what = f"credit of {money(amount, invoice.currency_code)} {invoice.currency_code} applied"
    await drafting.remember(session, INVOICES, invoice.id, principal.name, [what])
    event = InvoiceUpdated if invoice.status_on(today) == was else InvoiceStatusChanged
    await invoices.TELLING.tell(session, event, [invoice], today)
    await telling.updated_by_id(session, used)


async def take_back(
    session: AsyncSession,
    principal: Principal,
    payment: Payment,
    *,
    today: datetime.date,
    what: str,
    invoice_id: str | None = None,
) -> None:
    """Make all of the payment, or what is for one invoice, credit again; tell of the invoices."""
    rows = select(PaymentAllocation.invoice_id, PaymentAllocation.amount).where(
        PaymentAllocation.payment_id == payment.id
    )
    if invoice_id is not None:
        rows = rows.where(PaymentAllocation.invoice_id == invoice_id)
    amounts: dict[str, Decimal] = dict((await session.execute(rows)).all())
    if invoice_id is not None and not amounts:
        raise InvoiceNotFound(f"nothing of the payment is for an invoice {invoice_id}", invoice_id=invoice_id)
    found = await _lock(session, payment.organization_id, amounts)
    statuses = {invoice.id: invoice.status_on(today) for invoice in found.values()}
    for id_, amount in amounts.items():
        found[id_].take_back(amount, principal, today)
        payment.regain(amount)
    gone = delete(PaymentAllocation).where(PaymentAllocation.payment_id == payment.id)
    await session.execute(gone.where(PaymentAllocation.invoice_id.in_(amounts)))
    await _written(session, principal, payment, amounts, found, statuses, today, what)


async def _add(session: AsyncSession, amounts: Mapping[tuple[str, str], Decimal]) -> None:
    """Add allocations by (payment, invoice); more for an invoice that the payment is for already makes one of both."""
    keys = tuple_(PaymentAllocation.payment_id, PaymentAllocation.invoice_id)
    there = await session.execute(select(PaymentAllocation).where(keys.in_(list(amounts))))
    known = {(one.payment_id, one.invoice_id): one for one in there.scalars()}
    for (payment_id, invoice_id), amount in amounts.items():
        if (one := known.get((payment_id, invoice_id))) is not None:
            one.amount += amount
        else:
            session.add(PaymentAllocation(payment_id=payment_id, invoice_id=invoice_id, amount=amount))


async def _lock(session: AsyncSession, organization_id: str, invoice_ids: Collection[str]) -> dict[str, Invoice]:
    found = await session.execute(
        select(Invoice)
        .where(Invoice.organization_id == organization_id, Invoice.id.in_(invoice_ids))
        .order_by(Invoice.id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    )
    return {invoice.id: invoice for invoice in found.scalars()}


def _check(payment: Payment, invoice: Invoice) -> None:
    if invoice.customer_id != payment.customer_id:
        raise InvoiceOfAnotherCustomer(
            f"{invoice.invoice_number} is of another customer than the payment", invoice_id=invoice.id
        )
    if invoice.currency_code != payment.currency_code:
        raise PaymentCurrencyDiffers(
            f"{invoice.invoice_number} is in {invoice.currency_code}, the payment in {payment.currency_code}; record a "
            "payment in the invoice's currency",
            invoice_id=invoice.id,
            currency_code=invoice.currency_code,
        )


async def _written(
    session: AsyncSession,
    principal: Principal,
    payment: Payment,
    amounts: dict[str, Decimal],
    found: dict[str, Invoice],
    statuses: Mapping[str, InvoiceStatus],
    today: datetime.date,
    what: str,
) -> None:
    await session.flush()
    currency = payment.currency_code
    happened = [(id_, what.format(f"{money(amount, currency)} {currency}")) for id_, amount in amounts.items()]
    await drafting.remember_all(session, INVOICES, principal.name, happened)
    changed = [one for one in found.values() if one.status_on(today) != statuses[one.id]]
    same = [one for one in found.values() if one.status_on(today) == statuses[one.id]]
    for event, concerned in ((InvoiceStatusChanged, changed), (InvoiceUpdated, same)):
        if concerned:
            await invoices.TELLING.tell(session, event, concerned, today)
