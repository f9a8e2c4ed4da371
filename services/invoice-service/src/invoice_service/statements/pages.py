"""What a customer owes, its documents and its statement, as pages."""

from fastapi import APIRouter
from servicekit.auth import Viewer
from servicekit.db import utc_now
from servicekit.pages import CurrentPage, Page
from servicekit.pagination import PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.documents.printing import AsPdf
from invoice_service.documents.queries import Filters
from invoice_service.estimates import queries as estimates
from invoice_service.estimates.models import Estimate
from invoice_service.invoices import queries as invoices
from invoice_service.invoices.models import Invoice
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization
from invoice_service.statements import printing, queries
from invoice_service.statements.requests import AskedPeriod

SHOWN = 10

router = APIRouter(prefix="/customers")


async def panel_of_customer(page: Page, session: AsyncSession, customer_id: str) -> str:
    """What the customer owes, on its page."""
    stamps = await page.follow(session, "books")
    balances = await queries.balances(session, customer_id, utc_now().date())
    return page.part("statements/panel.html", balances=balances, customer_id=customer_id, stamps=stamps)


async def panel_of_documents(page: Page, session: AsyncSession, customer_id: str) -> str:
    """The customer's newest estimates and invoices, on its page."""
    stamps = await page.follow(session, "books")
    organization = await chosen(session, page)
    which, theirs, today = PageRequest(limit=SHOWN, after=None), Filters(customer_ids=(customer_id,)), utc_now().date()
    offered, more = await estimates.page(session, organization.id, which, theirs, status=None, today=today)
    made, further = await invoices.page(session, organization.id, which, theirs, status=None, today=today)
    documents: list[Estimate | Invoice] = [*offered, *made]
    return page.part(
        "statements/documents.html",
        documents=sorted(documents, key=lambda each: each.created_at, reverse=True)[:SHOWN],
        more=bool(more or further or len(documents) > SHOWN),
        customer_id=customer_id,
        lead_to={item.path for item in page.site.navigation},
        today=today,
        stamps=stamps,
    )


@router.get("/{customer_id}/statement")
async def show_statement(
    customer_id: str,
    page: CurrentPage,
    session: ReadSession,
    _: Viewer,
    organization: CurrentOrganization,
    period: AskedPeriod,
) -> Response:
    stamps = await page.follow(session, "books")
    statement = await period.read(session, organization, customer_id)
    lead_to = {item.path for item in page.site.navigation}
    return page.render("statements/statement.html", statement=statement, lead_to=lead_to, stamps=stamps)


@router.get("/{customer_id}/statement/pdf")
async def show_statement_pdf(
    customer_id: str, page: CurrentPage, database: ServiceDatabase, _: Viewer, period: AskedPeriod, as_pdf: AsPdf
) -> Response:
    async with database.reading() as session:  # not kept open while the PDF is made
        organization = await chosen(session, page)
        statement = await period.read(session, organization, customer_id)
        logo = await organizations.logo(session, organization.id)
    document = printing.printable(statement, organization, logo)
    return await as_pdf.answer(document, f"{statement.customer.customer_name} {statement.date_to}")
