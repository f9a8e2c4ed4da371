"""Reading a customer's statement and balances.

Guarantee: ``opening_balance`` + ``invoiced`` - ``received`` is ``closing_balance``, and each row's balance follows from
the one before. Drafts and void invoices are no claims and do not count; of payments all that was received counts, what
is not used yet too.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from servicekit.errors import Invalid
from sqlalchemy import BindParameter, bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers.models import Customer
from invoice_service.invoices.models import Invoice
from invoice_service.payments.models import Payment

MAX_ROWS = 2_000
_CLAIMS = ("sent", "overdue", "partially_paid", "paid")
# Written out in the statement, as the index `ix_invoices_open` has it: SQLite does not look into parameters for that.
_OPEN: BindParameter[Any] = bindparam(
    "open", ("sent", "overdue", "partially_paid"), expanding=True, literal_execute=True
)


class StatementTooLong(Invalid):
    code = "statement_too_long"


@dataclass(frozen=True)
class Entry:
    """An invoice, which raises the balance by its ``amount``, or a payment, which lowers it; ``balance`` after it."""

    date: datetime.date
    kind: Literal["invoice", "payment"]
    id: str
    number: str
    description: str
    amount: Decimal
    balance: Decimal = Decimal(0)


@dataclass(frozen=True)
class Statement:
    """From ``date_from`` to ``date_to``, both included, in one currency."""

    customer: Customer
    currency_code: str
    date_from: datetime.date
    date_to: datetime.date
    opening_balance: Decimal
    entries: list[Entry]

    @property
    def invoiced(self) -> Decimal:
        """What the invoices come to."""
        return sum((entry.amount for entry in self.entries if entry.kind == "invoice"), Decimal(0))

    @property
    def received(self) -> Decimal:
        """What the payments come to."""
        return sum((entry.amount for entry in self.entries if entry.kind == "payment"), Decimal(0))

    @property
    def closing_balance(self) -> Decimal:
        """What is owed at the end."""
        return self.opening_balance + self.invoiced - self.received


@dataclass(frozen=True)
class Balance:
    """In one currency: what is owed, what of that is overdue, and the credit that is not used yet."""

    currency_code: str
    receivable: Decimal
    overdue: Decimal
    credit: Decimal


async def statement(
    session: AsyncSession, customer: Customer, currency_code: str, date_from: datetime.date, date_to: datetime.date
) -> Statement:
    """The customer's statement; four statements of SQL. Raises `StatementTooLong`."""
    invoices = (Invoice.customer_id == customer.id, Invoice.currency_code == currency_code, Invoice.status.in_(_CLAIMS))
    payments = (Payment.customer_id == customer.id, Payment.currency_code == currency_code)
    claimed = await _sum(session, Invoice.total, *invoices, Invoice.date < date_from)
    paid = await _sum(session, Payment.amount, *payments, Payment.date < date_from)
    made = await session.execute(
        select(Invoice.date, Invoice.id, Invoice.invoice_number, Invoice.reference_number, Invoice.total)
        .where(*invoices, Invoice.date.between(date_from, date_to))
        .order_by(Invoice.date, Invoice.id)
        .limit(MAX_ROWS + 1)
    )
    entries = [Entry(date, "invoice", id_, number, reference, total) for date, id_, number, reference, total in made]
    received = await session.execute(
        select(Payment.date, Payment.id, Payment.reference_number, Payment.payment_mode, Payment.amount)
        .where(*payments, Payment.date.between(date_from, date_to))
        .order_by(Payment.date, Payment.id)
        .limit(MAX_ROWS + 1)
    )
    entries += [Entry(date, "payment", id_, number, mode, amount) for date, id_, number, mode, amount in received]
    if len(entries) > MAX_ROWS:
        raise StatementTooLong(
            f"date_from: from {date_from} to {date_to} there are more than {MAX_ROWS:,} invoices and payments; "
            "ask for a shorter time"
        )
    opening = claimed - paid
    return Statement(customer, currency_code, date_from, date_to, opening, list(_balanced(opening, entries)))


def _balanced(opening: Decimal, entries: Iterable[Entry]) -> Iterable[Entry]:
    balance = opening
    for entry in sorted(entries, key=lambda entry: (entry.date, entry.kind, entry.id)):
        balance += entry.amount if entry.kind == "invoice" else -entry.amount
        yield replace(entry, balance=balance)


async def balances(session: AsyncSession, customer_id: str, today: datetime.date) -> list[Balance]:
    """What the customer owes and has left, by currency."""
    owed = Invoice.total - Invoice.amount_paid
    late = case((Invoice.due_date < today, owed), else_=0)
    invoices = await session.execute(
        select(Invoice.currency_code, _exact(func.sum(owed)), _exact(func.sum(late)))
        .where(Invoice.customer_id == customer_id, Invoice.status.in_(_OPEN))
        .group_by(Invoice.currency_code)
    )
    open_ = {currency: (receivable, overdue) for currency, receivable, overdue in invoices}
    payments = await session.execute(
        select(Payment.currency_code, _exact(func.sum(Payment.unused_amount)))
        .where(Payment.customer_id == customer_id, Payment.unused_amount > 0)
        .group_by(Payment.currency_code)
    )
    credit: dict[str, Decimal] = dict(payments.all())
    nothing = (Decimal(0), Decimal(0))
    return [
        Balance(currency, *open_.get(currency, nothing), credit.get(currency, Decimal(0)))
        for currency in sorted({*open_, *credit})
    ]


async def _sum(session: AsyncSession, column: Any, *where: Any) -> Decimal:
    found = (await session.execute(select(_exact(func.sum(column))).where(*where))).scalar_one()
    return Decimal(0) if found is None else found


def _exact(total: Any) -> Any:
    """PostgreSQL gives sums of integers as numerics, SQLite as integers: both are read as our amounts."""
    return func.coalesce(total, 0, type_=Invoice.total.type)
