"""By the clock: estimates expire by themselves after their expiry date."""

import datetime

from contracts.documents import EstimateStatusChanged
from servicekit.db import Database
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.estimates import queries, service
from invoice_service.estimates.models import Estimate, estimate_history

AT_ONCE = 50
EVERY_SECONDS = 3600.0
WHO = "system"


async def expire_estimates(database: Database, today: datetime.date) -> int:
    """Write down every estimate that has expired by ``today``, some at a time; how many that were.

    Reading takes the date into account anyway (`Estimate.status_on`); this is for history and events.
    """
    written = 0
    while True:
        async with database.transaction() as session:
            some = await _expire_some(session, today)
        written += some
        if some < AT_ONCE:
            return written


async def _expire_some(session: AsyncSession, today: datetime.date) -> int:
    due = select(Estimate).where(queries.has_expired(today)).order_by(Estimate.expiry_date).limit(AT_ONCE)
    estimates = (await session.execute(due.with_for_update(skip_locked=True))).scalars().all()
    if not estimates:
        return 0
    for estimate in estimates:
        if estimate.expire(today):
            estimate.touch()
    await session.flush()
    rows = [
        {"document_id": estimate.id, "at": estimate.updated_at, "who": WHO, "what": "expired"} for estimate in estimates
    ]
    await session.execute(insert(estimate_history), rows)
    await service.tell(session, EstimateStatusChanged, estimates, today)
    return len(estimates)
