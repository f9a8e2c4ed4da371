"""What requests about documents have in common: the day they come on, and what a list is narrowed to."""

import datetime
from typing import Annotated

from fastapi import Depends
from servicekit.db import utc_now
from servicekit.fields import Day

from invoice_service.documents.queries import Filters


async def _today() -> datetime.date:
    return utc_now().date()


Today = Annotated[datetime.date, Depends(_today)]
"""The day of the request, UTC."""


async def _filters(
    customer_id: str | None = None,
    crm_account_id: str | None = None,
    crm_contact_id: str | None = None,
    crm_potential_id: str | None = None,
    date_from: Day | None = None,
    date_to: Day | None = None,
    q: str | None = None,
) -> Filters:
    return Filters(
        customer_id=customer_id,
        crm_account_id=crm_account_id,
        crm_contact_id=crm_contact_id,
        crm_potential_id=crm_potential_id,
        date_from=date_from,
        date_to=date_to,
        q=q,
    )


FilterQuery = Annotated[Filters, Depends(_filters)]
