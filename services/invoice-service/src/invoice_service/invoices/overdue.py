"""By the clock: invoices fall overdue by themselves after their due date."""

import datetime

from contracts.documents import InvoiceStatusChanged
from servicekit.db import Database
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.invoices import queries, service
from invoice_service.invoices.models import Invoice, invoice_history

AT_ONCE = 50
EVERY_SECONDS = 3600.0
WHO = "system"


async def write_overdue(database: Database, today: datetime.date) -> int:
    """Write down every invoice that is overdue by ``today``, some at a time; how many that were.

    Reading takes the date into account anyway (`Invoice.status_on`); this is for history and events.
    """
    written = 0
    while True:
        async with database.transaction() as session:
            some = await _write_some(session, today)
        written += some
        if some < AT_ONCE:
            return written


async def _write_some(session: AsyncSession, today: datetime.date) -> int:
    due = select(Invoice).where(queries.has_fallen_overdue(today)).order_by(Invoice.due_date).limit(AT_ONCE)
    invoices = (await session.execute(due.with_for_update(skip_locked=True))).scalars().all()
    if not invoices:
        return 0
    for invoice in invoices:
        if invoice.fall_overdue(today):
            invoice.touch()
    await session.flush()
    rows = [{"document_id": one.id, "at": one.updated_at, "who": WHO, "what": "overdue"} for one in invoices]
    await session.execute(insert(invoice_history), rows)
    await service.tell(session, InvoiceStatusChanged, invoices, today)
    return len(invoices)
