"""The page on which one chooses the organization that all other pages are about, and adds another."""

from fastapi import APIRouter
from servicekit.auth import Admin, Viewer
from servicekit.errors import Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.organizations import queries, service
from invoice_service.organizations.chosen import choose, chosen
from invoice_service.organizations.schemas import OrganizationBody

FIRST = PageRequest(limit=50, after=None)

router = APIRouter(prefix="/organizations")


@router.get("")
async def list_organizations(page: CurrentPage, session: ReadSession, which: PageQuery, _: Viewer) -> Response:
    return await _page(page, session, None, which)


@router.post("")
async def add_organization(page: CurrentPage, database: ServiceDatabase, _: Admin) -> Response:
    form = await page.form()
    try:
        body = form.parse(OrganizationBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            organization = await service.create(session, body, logo=None)
            response = await once.done("/settings", said=f"{organization.name} was added; all pages are about it now.")
            choose(page, response, organization)
            return response
    except Problem as problem:
        async with database.reading() as session:
            return await _page(page, session, form.refused(problem), FIRST)


@router.post("/{organization_id}/choose")
async def choose_organization(organization_id: str, page: CurrentPage, session: ReadSession, _: Viewer) -> Response:
    organization = await queries.get(session, organization_id)
    response = page.go("/home", said=f"All pages are about {organization.name} now.")
    choose(page, response, organization)
    return response


async def _page(page: Page, session: AsyncSession, form: Form | None, which: PageRequest) -> Response:
    found, next_cursor = await queries.page(session, which)
    current = await chosen(session, page)
    form = form or Form({"currency_code": current.currency_code, "language": current.language})
    return page.render(
        "organizations/choose.html",
        status=form.problem.status if form.problem else 200,
        form=form,
        organizations=found,
        next_cursor=next_cursor,
        current=current,
    )
