"""``/v1/customers/{id}/statement`` and ``/v1/customers/{id}/balances``."""

from fastapi import APIRouter, Response
from servicekit.auth import Viewer
from servicekit.sessions import ReadSession, ServiceDatabase

from invoice_service.customers import queries as customers
from invoice_service.documents.printing import PDF_RESPONSES, AsPdf
from invoice_service.documents.requests import Today
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.current import CurrentOrganization, OrganizationId
from invoice_service.statements import printing, queries
from invoice_service.statements.requests import AskedPeriod
from invoice_service.statements.schemas import BalanceOut, BalancesOut, StatementOut

router = APIRouter(prefix="/v1/customers", tags=["customers"])


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
