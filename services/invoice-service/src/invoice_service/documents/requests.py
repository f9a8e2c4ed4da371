"""What requests about documents have in common: the day they come on, and what a list is narrowed to."""

import datetime
from typing import Annotated

from fastapi import Depends, Query
from servicekit.db import utc_now
from servicekit.fields import Day

from invoice_service.documents.queries import Filters

MANY = 200
"""How often a query string may say ``id`` or ``customer_id``."""


async def _today() -> datetime.date:
    return utc_now().date()


Today = Annotated[datetime.date, Depends(_today)]
"""The day of the request, UTC."""


async def _filters(
    id_: Annotated[list[str] | None, Query(alias="id", max_length=MANY, description="Any of these")] = None,
    customer_id: Annotated[list[str] | None, Query(max_length=MANY, description="Of any of these")] = None,
    crm_account_id: str | None = None,
    crm_contact_id: str | None = None,
    crm_potential_id: str | None = None,
    date_from: Day | None = None,
    date_to: Day | None = None,
    q: str | None = None,
) -> Filters:
    return Filters(
        ids=tuple(id_ or ()),
        customer_ids=tuple(customer_id or ()),
        crm_account_id=crm_account_id,
        crm_contact_id=crm_contact_id,
        crm_potential_id=crm_potential_id,
        date_from=date_from,
        date_to=date_to,
        q=q,
    )


FilterQuery = Annotated[Filters, Depends(_filters)]
