"""``/v1/customers/{id}/statement`` and ``/v1/customers/{id}/balances``."""

import datetime
from dataclasses import dataclass
from typing import Annotated

from contracts.values import CurrencyCode
from fastapi import APIRouter, Depends, Response
from servicekit.auth import Viewer
from servicekit.errors import invalid_field
from servicekit.fields import Day
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.customers import queries as customers
from invoice_service.documents.printing import PDF_RESPONSES, AsPdf
from invoice_service.documents.requests import Today
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.current import CurrentOrganization, OrganizationId
from invoice_service.organizations.models import Organization
from invoice_service.statements import printing, queries
from invoice_service.statements.queries import Statement
from invoice_service.statements.schemas import BalanceOut, BalancesOut, StatementOut

router = APIRouter(prefix="/v1/customers", tags=["customers"])


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


@router.get("/{customer_id}/statement")
async def get_statement(
    _: Viewer, session: ReadSession, organization: CurrentOrganization, customer_id: str, period: AskedPeriod
) -> StatementOut:
    """What the customer was invoiced and has paid in a time, and what is owed before and after."""
    return StatementOut.of(await period.read(session, organization, customer_id))


@router.get("/{customer_id}/statement/pdf", response_class=Response, responses=PDF_RESPONSES)
async def get_statement_pdf(
    _: Viewer,
    database: ServiceDatabase,
    customer_id: str,
    period: AskedPeriod,
    as_pdf: AsPdf,
    organization_id: OrganizationId = None,
) -> Response:
    """The statement as a PDF, to view or to download."""
    async with database.reading() as session:  # not kept open while the PDF is made
        organization = await organizations.get(session, organization_id)
        statement = await period.read(session, organization, customer_id)
        logo = await organizations.logo(session, organization.id)
    document = printing.printable(statement, organization, logo)
    return await as_pdf.answer(document, f"{statement.customer.customer_name} {statement.date_to}")


@router.get("/{customer_id}/balances")
async def get_balances(
    _: Viewer, session: ReadSession, organization: CurrentOrganization, customer_id: str, today: Today
) -> BalancesOut:
    """What the customer owes, what of that is overdue, and what credit there is."""
    customer = (await customers.get(session, organization.id, customer_id)).customer
    found = await queries.balances(session, customer.id, today)
    return BalancesOut(customer_id=customer.id, balances=[BalanceOut.of(balance) for balance in found])
