"""By the clock: estimates expire by themselves after their expiry date."""

import datetime

from servicekit.db import Database

from invoice_service.documents.telling import write_down
from invoice_service.estimates import queries
from invoice_service.estimates.events import TELLING
from invoice_service.estimates.models import Estimate

EVERY_SECONDS = 3600.0


async def expire_estimates(database: Database, today: datetime.date) -> int:
    """Write down every estimate that has expired by ``today``; how many that were.

    Reading takes the date into account anyway (`Estimate.status_on`).
    """
    due = queries.has_expired(today)
    return await write_down(database, TELLING, due, Estimate.expiry_date, Estimate.expire, "expired", today)
