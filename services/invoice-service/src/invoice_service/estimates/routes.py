"""``/v1/estimates``."""

import asyncio
import datetime
from typing import Annotated, Literal

from contracts.documents import EstimateStatus
from fastapi import APIRouter, Depends, Header, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.db import utc_now
from servicekit.etags import IfMatch
from servicekit.fields import Day
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession

from invoice_service import pdf
from invoice_service.estimates import printing, queries, service
from invoice_service.estimates.queries import Filters, WholeEstimate
from invoice_service.estimates.schemas import EstimateBody, EstimateEdit, EstimateOut, EstimateSummary, StatusBody
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.current import (
    CurrentOrganization,
    CurrentOrganizationToWrite,
    OrganizationId,
)

router = APIRouter(prefix="/v1/estimates", tags=["estimates"])


async def _today() -> datetime.date:
    return utc_now().date()


Today = Annotated[datetime.date, Depends(_today)]


async def _filters(
    status: EstimateStatus | None = None,
    customer_id: str | None = None,
    crm_account_id: str | None = None,
    crm_contact_id: str | None = None,
    crm_potential_id: str | None = None,
    date_from: Day | None = None,
    date_to: Day | None = None,
    q: str | None = None,
) -> Filters:
    return Filters(
        status=status,
        customer_id=customer_id,
        crm_account_id=crm_account_id,
        crm_contact_id=crm_contact_id,
        crm_potential_id=crm_potential_id,
        date_from=date_from,
        date_to=date_to,
        q=q,
    )


def _shown(whole: WholeEstimate, today: datetime.date, *, created: bool = False) -> Response:
    path = f"/v1/estimates/{whole.estimate.id}" if created else None
    return answer(EstimateOut.of_whole(whole, today), whole.estimate.version, created_at_path=path)


@router.get("")
async def list_estimates(
    _: Viewer,
    session: ReadSession,
    organization: CurrentOrganization,
    page: PageQuery,
    filters: Annotated[Filters, Depends(_filters)],
    today: Today,
) -> Page[EstimateSummary]:
    """Estimates without their lines, newest first. ``q``: beginnings of words of number, customer or reference."""
    found, cursor = await queries.page(session, organization.id, page, filters, today=today)
    return Page(items=[EstimateSummary.of(estimate, today) for estimate in found], next_cursor=cursor)


@router.post("", status_code=201, response_model=EstimateOut)
async def create_estimate(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    body: EstimateBody,
    today: Today,
) -> Response:
    """A new draft."""

    async def make() -> Response:
        return _shown(await service.create(session, organization, principal, body, today=today), today, created=True)

    return await idempotency.once(session, make)


@router.get("/{estimate_id}", response_model=EstimateOut)
async def get_estimate(
    _: Viewer, session: ReadSession, organization: CurrentOrganization, estimate_id: str, today: Today
) -> Response:
    """One estimate."""
    estimate = await queries.find(session, organization.id, estimate_id)
    return _shown(await queries.whole(session, estimate), today)


@router.patch("/{estimate_id}", response_model=EstimateOut)
async def edit_estimate(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    estimate_id: str,
    if_match: IfMatch,
    body: EstimateEdit,
    today: Today,
) -> Response:
    """Change the fields sent."""
    edited = await service.edit(
        session, organization, principal, estimate_id, body, expected_version=if_match, today=today
    )
    return _shown(edited, today)


@router.delete("/{estimate_id}", status_code=204)
async def delete_estimate(
    _: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    estimate_id: str,
    if_match: IfMatch,
    today: Today,
) -> None:
    """Delete a draft that has the newest number."""
    await service.remove(session, organization, estimate_id, expected_version=if_match, today=today)


@router.post("/{estimate_id}/status/{status}", response_model=EstimateOut)
async def mark_estimate(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    estimate_id: str,
    status: Literal["sent", "accepted", "declined"],
    if_match: IfMatch,
    today: Today,
    body: StatusBody | None = None,
) -> Response:
    """Make it sent, accepted or declined; one that is so already stays as it is."""
    marked = await service.mark(
        session,
        organization,
        principal,
        estimate_id,
        status,
        potential_version=body.crm_potential_version if body else None,
        expected_version=if_match,
        today=today,
    )
    return _shown(marked, today)


@router.get("/{estimate_id}/pdf", response_class=Response, responses={200: {"content": {"application/pdf": {}}}})
async def get_estimate_pdf(
    _: Viewer,
    database: ServiceDatabase,
    estimate_id: str,
    today: Today,
    organization_id: OrganizationId = None,
    download: bool = False,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The estimate as a PDF, to view or to download."""
    async with database.reading() as session:  # not kept open while the PDF is made
        organization = await organizations.get(session, organization_id)
        estimate = await queries.find(session, organization.id, estimate_id)
        lines = await queries.lines_of(session, [estimate.id])
    document = printing.printable(estimate, lines[estimate.id], organization, today)
    headers = {
        "ETag": printing.etag(document),
        "Content-Disposition": printing.content_disposition(estimate.estimate_number, download=download),
        "Cache-Control": "private, no-cache",
    }
    if if_none_match is not None and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(await asyncio.to_thread(pdf.render, document), media_type="application/pdf", headers=headers)
