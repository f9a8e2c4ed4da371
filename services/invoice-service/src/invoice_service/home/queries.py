"""How an organization stands: what is owed to it, and what it invoiced and received month by month."""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import String, case, cast, extract, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.estimates.models import estimate_history
from invoice_service.invoices.models import Invoice, invoice_history
from invoice_service.payments.models import Payment

_OPEN = ("sent", "overdue", "partially_paid")
_CLAIMS = (*_OPEN, "paid")


@dataclass(frozen=True)
class Owed:
    """In one currency: what is owed by how many invoices, and what of that is overdue."""

    currency_code: str
    receivable: Decimal
    invoices: int
    overdue: Decimal
    overdue_invoices: int


@dataclass(frozen=True)
class Month:
    """What was invoiced and received in the month that begins with ``first``."""

    first: datetime.date
    invoiced: Decimal
    received: Decimal


async def stamp(session: AsyncSession, _: str) -> str:
    """The topic ``books``: what was done last with documents, and the last payments."""
    # Several of each, since a transaction may be done after one that began later.
    newest = [
        select(cast(column, String).label("id")).order_by(column.desc()).limit(5).subquery()
        for column in (invoice_history.c.id, estimate_history.c.id, Payment.id)
    ]
    found = await session.scalars(union_all(*(select(each.c.id) for each in newest)))
    return hashlib.sha256(".".join(found).encode()).hexdigest()[:16]


async def owed(session: AsyncSession, organization_id: str, today: datetime.date) -> list[Owed]:
    """What is owed, by currency."""
    balance = Invoice.total - Invoice.amount_paid
    is_late = Invoice.due_date < today
    found = await session.execute(
        select(
            Invoice.currency_code,
            _exact(func.sum(balance)),
            func.count(),
            _exact(func.sum(case((is_late, balance), else_=0))),
            func.sum(case((is_late, 1), else_=0)),
        )
        .where(Invoice.organization_id == organization_id, Invoice.status.in_(_OPEN), balance > 0)
        .group_by(Invoice.currency_code)
        .order_by(Invoice.currency_code)
    )
    return [Owed(*row) for row in found]


async def longest_overdue(
    session: AsyncSession, organization_id: str, today: datetime.date, limit: int
) -> Sequence[Invoice]:
    """The invoices that are overdue for the longest time."""
    found = await session.execute(
        select(Invoice)
        .where(
            Invoice.organization_id == organization_id,
            Invoice.status.in_(_OPEN),
            Invoice.due_date < today,
            Invoice.total > Invoice.amount_paid,
        )
        .order_by(Invoice.due_date, Invoice.id)
        .limit(limit)
    )
    return found.scalars().all()


async def months(
    session: AsyncSession, organization_id: str, currency_code: str, today: datetime.date, number: int
) -> list[Month]:
    """The last ``number`` months, this one included, in one currency; two statements."""
    firsts = [today.replace(day=1)]
    while len(firsts) < number:
        firsts.append((firsts[-1] - datetime.timedelta(days=1)).replace(day=1))
    since = firsts[-1]
    invoiced = await _by_month(
        session,
        Invoice,
        Invoice.total,
        Invoice.organization_id == organization_id,
        Invoice.currency_code == currency_code,
        Invoice.status.in_(_CLAIMS),
        Invoice.date >= since,
    )
    received = await _by_month(
        session,
        Payment,
        Payment.amount,
        Payment.organization_id == organization_id,
        Payment.currency_code == currency_code,
        Payment.date >= since,
    )
    nothing = Decimal(0)
    return [
        Month(first, invoiced.get((first.year, first.month), nothing), received.get((first.year, first.month), nothing))
        for first in reversed(firsts)
    ]


async def _by_month(
    session: AsyncSession, model: type[Invoice] | type[Payment], amount: Any, *where: Any
) -> dict[tuple[int, int], Decimal]:
    year, month = extract("year", model.date), extract("month", model.date)
    found = await session.execute(select(year, month, _exact(func.sum(amount))).where(*where).group_by(year, month))
    return {(int(year), int(month)): total for year, month, total in found}


def _exact(total: Any) -> Any:
    """PostgreSQL gives sums of integers as numerics, SQLite as integers: both are read as our amounts."""
    return func.coalesce(total, 0, type_=Invoice.total.type)
