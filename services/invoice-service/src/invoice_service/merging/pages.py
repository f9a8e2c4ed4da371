"""The pages of duplicates and of merging: what a merge would do, merging, and undoing one."""

from typing import Annotated

from fastapi import APIRouter, Query
from servicekit.auth import Member, Viewer
from servicekit.db import utc_now
from servicekit.errors import Problem
from servicekit.pages import CurrentPage, Form, Page
from servicekit.pagination import PageQuery, PageRequest
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from invoice_service.customers import duplicates
from invoice_service.customers import queries as customers
from invoice_service.customers.schemas import DuplicateOut
from invoice_service.merging import queries, service
from invoice_service.organizations.chosen import chosen
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

SHOWN = 20

router = APIRouter(prefix="/customers")


async def panel_of_customer(page: Page, session: AsyncSession, customer_id: str) -> str:
    """The merges that a customer was part of; nothing where there were none."""
    stamps = await page.follow(session, f"customer:{customer_id}")
    organization = await chosen(session, page)
    which = PageRequest(limit=SHOWN, after=None)
    merges, _ = await queries.page(session, organization.id, customer_id, which)
    return page.part("merging/panel.html", merges=merges, stamps=stamps, src=f"/customers/{customer_id}")


@router.get("/duplicates")
async def list_duplicates(
    page: CurrentPage, session: ReadSession, _: Viewer, organization: CurrentOrganization, which: PageQuery
) -> Response:
    stamps = await page.follow(session, f"customers:{organization.id}")
    found, next_cursor = await duplicates.page(session, organization.id, which)
    pairs = [DuplicateOut.of(*row) for row in found]
    return page.render("merging/duplicates.html", pairs=pairs, next_cursor=next_cursor, stamps=stamps)


@router.get("/{customer_id}/merge")
async def choose_merge(
    customer_id: str,
    page: CurrentPage,
    database: ServiceDatabase,
    _: Member,
    into: str = "",
    q: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    if into:
        return await _preview(page, database, customer_id, into)
    async with database.reading() as session:
        organization = await chosen(session, page)
        customer = await customers.find(session, organization.id, customer_id)
        which = PageRequest(limit=SHOWN, after=None)
        found, more = await customers.page(session, organization.id, which, status="active", q=q.strip() or None)
    others = [each for each in found if each.customer.id != customer.id]
    return page.render("merging/choose.html", customer=customer, others=others, more=more, q=q)


@router.post("/{customer_id}/merge")
async def merge_customer(customer_id: str, page: CurrentPage, database: ServiceDatabase, _: Member) -> Response:
    form = await page.form()
    try:
        async with database.transaction() as session:
            made = await service.merge(
                session,
                await chosen(session, page),
                page.principal,
                customer_id,
                form["into"],
                expected_version=form.version,
                today=utc_now().date(),
            )
    except Problem as problem:
        return await _preview(page, database, customer_id, form["into"], form.refused(problem))
    said = f"{made.merge.from_name} was merged into {made.merge.into_name}."
    return page.go(f"/customers/{made.merge.into_id}", said=said, undo=f"/customers/merges/{made.merge.id}/undo")


@router.post("/merges/{merge_id}/undo")
async def undo_merge(
    merge_id: str, page: CurrentPage, session: WriteSession, organization: CurrentOrganizationToWrite, _: Member
) -> Response:
    made = await service.undo(session, organization, page.principal, merge_id, today=utc_now().date())
    return page.go(f"/customers/{made.from_id}", said=f"{made.from_name} is a customer of its own again.")


async def _preview(
    page: Page, database: ServiceDatabase, customer_id: str, into: str, form: Form | None = None
) -> Response:
    """What merging would do, or why it is not possible; ``form``: of a merge that was refused."""
    async with database.reading() as session:
        organization = await chosen(session, page)
        gone = await customers.get(session, organization.id, customer_id)
        stays = await customers.get(session, organization.id, into)
    would = None
    try:
        async with database.transaction() as session:
            organization = await chosen(session, page)
            would = await service.preview(session, organization, customer_id, into, expected_version=None)
    except Problem as problem:
        form = form or Form().refused(problem)
    form = form or Form()
    return page.render(
        "merging/preview.html",
        status=form.problem.status if form.problem else 200,
        gone=gone,
        stays=stays,
        would=would,
        form=form,
    )
