"""The page where one begins."""

from fastapi import APIRouter
from servicekit.auth import Viewer
from servicekit.pages import CurrentPage
from servicekit.pagination import PageRequest
from servicekit.sessions import ReadSession
from starlette.responses import Response

from invoice_service.documents.queries import Filters
from invoice_service.documents.requests import Today
from invoice_service.estimates import queries as estimates
from invoice_service.estimates.models import Estimate
from invoice_service.home import queries
from invoice_service.home.plot import plot
from invoice_service.invoices import queries as invoices
from invoice_service.invoices.models import Invoice
from invoice_service.organizations.current import CurrentOrganization

SHOWN = 6
MONTHS = 12
WIDE, NARROW = (MONTHS, 1080), (4, 350)
"""How many months stand on how many units: on a phone less, and as easy to read."""

router = APIRouter(prefix="/home")


@router.get("")
async def show_home(
    page: CurrentPage, session: ReadSession, _: Viewer, organization: CurrentOrganization, today: Today
) -> Response:
    stamps = await page.follow(session, "books")
    newest = PageRequest(limit=SHOWN, after=None)
    made, _more = await invoices.page(session, organization.id, newest, Filters(), status=None, today=today)
    offered, _more = await estimates.page(session, organization.id, newest, Filters(), status=None, today=today)
    recent: list[Estimate | Invoice] = [*made, *offered]
    months = await queries.months(session, organization.id, organization.currency_code, today, MONTHS)
    return page.render(
        "home/home.html",
        organization=organization,
        today=today,
        owed=await queries.owed(session, organization.id, today),
        overdue=await queries.longest_overdue(session, organization.id, today, SHOWN),
        recent=sorted(recent, key=lambda each: each.created_at, reverse=True)[:SHOWN],
        months=months,
        plots=[("wide-only", plot(months, WIDE[1])), ("phone-only", plot(months[-NARROW[0] :], NARROW[1]))],
        lead_to={item.path for item in page.site.navigation},
        stamps=stamps,
    )
