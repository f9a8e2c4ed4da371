"""By the clock: invoices fall overdue by themselves after their due date."""

import datetime

from servicekit.db import Database

from invoice_service.documents.telling import write_down
from invoice_service.invoices import queries
from invoice_service.invoices.events import TELLING
from invoice_service.invoices.models import Invoice

EVERY_SECONDS = 3600.0


async def write_overdue(database: Database, today: datetime.date) -> int:
    """Write down every invoice that is overdue by ``today``; how many that were.

    Reading takes the date into account anyway (`Invoice.status_on`).
    """
    due = queries.has_fallen_overdue(today)
    return await write_down(database, TELLING, due, Invoice.due_date, Invoice.fall_overdue, "overdue", today)
