"""The pages of estimates."""

from typing import Literal, get_args

from contracts.documents import EstimateStatus
from fastapi import APIRouter
from servicekit.auth import Member, Viewer
from servicekit.errors import PreconditionFailed, Problem
from servicekit.pages import CurrentPage
from servicekit.pagination import PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service import pdf
from invoice_service.documents import editor, editor_pages
from invoice_service.documents import pages as shared
from invoice_service.documents import queries as documents
from invoice_service.documents.pages import FiltersOfPage, Words
from invoice_service.documents.printing import AsPdf
from invoice_service.documents.requests import Today
from invoice_service.estimates import printing, queries, service
from invoice_service.estimates.actions import allowed_actions
from invoice_service.estimates.models import ESTIMATES
from invoice_service.estimates.schemas import EstimateBody, EstimateEdit
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

WORDS = Words(
    one="estimate",
    many="Estimates",
    path="/estimates",
    end=("expiry_date", "Valid until"),
    statuses=get_args(EstimateStatus),
)

router = APIRouter(prefix="/estimates")


async def stamp_of_list(session: AsyncSession, _: str) -> str:
    """The topic ``estimates``: any of them."""
    return await shared.stamp_of_all(session, ESTIMATES)


async def stamp_of_one(session: AsyncSession, estimate_id: str) -> str:
    """The topic ``estimate:<id>``."""
    return await shared.stamp_of_one(session, ESTIMATES, estimate_id)


@router.get("")
async def list_estimates(
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Viewer,
    which: PageQuery,
    filters: FiltersOfPage,
    today: Today,
) -> Response:
    stamps = await page.follow(session, "estimates")
    found, next_cursor = await queries.page(
        session, organization.id, which, filters.wanted(), status=filters.status_of(WORDS), today=today
    )
    return page.render(
        "documents/list.html",
        words=WORDS,
        documents=[{"of": one, "status": one.status_on(today), "end": one.expiry_date} for one in found],
        customer=shared.customer_named(filters, found),
        filters=filters,
        next_cursor=next_cursor,
        stamps=stamps,
    )


@router.get("/new")
async def new_estimate(
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    _: Member,
    today: Today,
    customer_id: str = "",
    q: str = "",
) -> Response:
    return await editor_pages.begin(page, session, organization, WORDS, customer_id, q, today)


@router.post("/new")
async def create_estimate(page: CurrentPage, database: ServiceDatabase, principal: Member, today: Today) -> Response:
    form = editor.without_empty_rows(await page.form())
    try:
        body = editor.sent(form).parse(EstimateBody)
        async with database.transaction() as session:
            once = await page.once(session)
            if once.again:
                return once.again
            organization = await chosen(session, page)
            made = (await service.create(session, organization, principal, body, today=today)).document
            return await once.done(f"/estimates/{made.id}", said=f"{made.estimate_number} was created.")
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            return await editor_pages.show(page, session, organization, WORDS, form.refused(problem), None)


@router.post("/totals")
async def estimate_totals(
    page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    return await editor_pages.totals(page, WORDS, organization)


@router.post("/draft")
async def redo_new_estimate(
    page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    return await editor_pages.redo(page, session, organization, WORDS, None)


@router.get("/{estimate_id}")
async def show_estimate(
    estimate_id: str,
    page: CurrentPage,
    session: ReadSession,
    organization: CurrentOrganization,
    principal: Viewer,
    today: Today,
) -> Response:
    stamps = await page.follow(session, f"estimate:{estimate_id}")
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
    whole = await documents.whole(session, ESTIMATES, estimate)
    printed = printing.printable(estimate, whole.lines, whole.amounts, organization, today)
    return page.render(
        "documents/detail.html",
        words=WORDS,
        state=estimate.status_on(today),
        end=estimate.expiry_date,
        can=shared.reasons(allowed_actions(whole, principal, today)),
        warnings=pdf.warnings(printed),
        panels=await page.panels(session, "estimate", estimate_id),
        stamps=stamps,
        **shared.of_whole(whole),
    )


@router.get("/{estimate_id}/edit")
async def edit_estimate(
    estimate_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
    if (refusal := estimate.refuse_edit()) is not None:
        raise refusal
    form = editor.form_of(await documents.whole(session, ESTIMATES, estimate), ["expiry_date"])
    return await editor_pages.show(page, session, organization, WORDS, form, estimate)


@router.post("/{estimate_id}/edit")
async def save_estimate(
    estimate_id: str, page: CurrentPage, database: ServiceDatabase, principal: Member, today: Today
) -> Response:
    form = editor.without_empty_rows(await page.form())
    try:
        body = editor.sent(form, "customer_id").parse(EstimateEdit)
        async with database.transaction() as session:
            organization = await chosen(session, page)
            await service.edit(
                session, organization, principal, estimate_id, body, expected_version=form.version, today=today
            )
    except Problem as problem:
        async with database.reading() as session:
            organization = await chosen(session, page)
            estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
            form = form.refused(problem)
            if isinstance(problem, PreconditionFailed):
                now = editor.saved(await documents.whole(session, ESTIMATES, estimate), ["expiry_date"])
                form = form.against(now, estimate.version)
            return await editor_pages.show(page, session, organization, WORDS, form, estimate)
    return page.go(f"/estimates/{estimate_id}", said="Saved.")


@router.post("/{estimate_id}/draft")
async def redo_estimate(
    estimate_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Member
) -> Response:
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
    return await editor_pages.redo(page, session, organization, WORDS, estimate)


@router.get("/{estimate_id}/view")
async def view_estimate(
    estimate_id: str, page: CurrentPage, session: ReadSession, organization: CurrentOrganization, _: Viewer
) -> Response:
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
    return page.render("documents/view.html", words=WORDS, document=estimate)


@router.get("/{estimate_id}/pdf")
async def estimate_pdf(
    estimate_id: str, page: CurrentPage, database: ServiceDatabase, _: Viewer, today: Today, as_pdf: AsPdf
) -> Response:
    async with database.reading() as session:  # not kept open while the PDF is made
        organization = await chosen(session, page)
        estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
        document = await printing.to_print(session, organization, estimate, today)
    return await as_pdf.answer(document, estimate.estimate_number)


@router.post("/{estimate_id}/status/{status}")
async def mark_estimate(
    estimate_id: str,
    status: Literal["sent", "accepted", "declined"],
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    principal: Member,
    today: Today,
) -> Response:
    form = await page.form()
    marked = await service.mark(
        session, organization, principal, estimate_id, status, expected_version=form.version, today=today
    )
    return page.go(f"/estimates/{estimate_id}", said=f"{marked.document.estimate_number} is {status}.")


@router.post("/{estimate_id}/delete")
async def delete_estimate(
    estimate_id: str,
    page: CurrentPage,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    _: Member,
    today: Today,
) -> Response:
    form = await page.form()
    await service.remove(session, organization, estimate_id, expected_version=form.version, today=today)
    return page.go("/estimates", said="The estimate was deleted; its number is free again.")
