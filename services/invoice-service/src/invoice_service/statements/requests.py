"""What a statement is asked for."""

import datetime
from dataclasses import dataclass
from typing import Annotated

from contracts.values import CurrencyCode
from fastapi import Depends
from servicekit.errors import invalid_field
from servicekit.fields import Day
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import queries as customers
from invoice_service.documents.requests import Today
from invoice_service.organizations.models import Organization
from invoice_service.statements import queries
from invoice_service.statements.queries import Statement


@dataclass(frozen=True)
class Period:
    """What a statement is asked for: from the first of this month to today, in the customer's currency, if not said."""

    date_from: datetime.date
    date_to: datetime.date
    currency_code: str | None

    async def read(self, session: AsyncSession, organization: Organization, customer_id: str) -> Statement:
        """The customer's statement of this time."""
        customer = (await customers.get(session, organization.id, customer_id)).customer
        currency_code = self.currency_code or customer.currency_code
        return await queries.statement(session, customer, currency_code, self.date_from, self.date_to)


async def _period(
    today: Today, date_from: Day | None = None, date_to: Day | None = None, currency_code: CurrencyCode | None = None
) -> Period:
    end = date_to or today
    start = date_from or min(today, end).replace(day=1)
    if end < start:
        raise invalid_field("date_to", f"must not be before date_from, {start}")
    return Period(start, end, currency_code)


AskedPeriod = Annotated[Period, Depends(_period)]
