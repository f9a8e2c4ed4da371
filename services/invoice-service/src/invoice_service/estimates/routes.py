"""``/v1/estimates``."""

import datetime
from typing import Literal

from contracts.documents import EstimateStatus
from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Member, Principal, Viewer
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession

from invoice_service.documents import queries as documents
from invoice_service.documents.printing import PDF_RESPONSES, AsPdf
from invoice_service.documents.queries import WholeDocument
from invoice_service.documents.requests import FilterQuery, Today
from invoice_service.documents.schemas import StatusBody, previewed
from invoice_service.estimates import printing, queries, service
from invoice_service.estimates.models import ESTIMATES, Estimate
from invoice_service.estimates.schemas import (
    EstimateBody,
    EstimateEdit,
    EstimateOut,
    EstimatePreview,
    EstimatePreviewOut,
    EstimateSummary,
)
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.current import (
    CurrentOrganization,
    CurrentOrganizationToWrite,
    OrganizationId,
)
from invoice_service.organizations.models import Organization

router = APIRouter(prefix="/v1/estimates", tags=["estimates"])


def _shown(
    whole: WholeDocument[Estimate],
    organization: Organization,
    principal: Principal,
    today: datetime.date,
    *,
    created: bool = False,
) -> Response:
    path = f"/v1/estimates/{whole.document.id}" if created else None
    return answer(
        EstimateOut.of_whole(whole, organization, principal, today), whole.document.version, created_at_path=path
    )


@router.get("")
async def list_estimates(
    _: Viewer,
    session: ReadSession,
    organization: CurrentOrganization,
    page: PageQuery,
    filters: FilterQuery,
    today: Today,
    status: EstimateStatus | None = None,
) -> Page[EstimateSummary]:
    """Estimates without their lines, newest first. ``q``: beginnings of words of number, customer or reference."""
    found, cursor = await queries.page(session, organization.id, page, filters, status=status, today=today)
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
        whole = await service.create(session, organization, principal, body, today=today)
        return _shown(whole, organization, principal, today, created=True)

    return await idempotency.once(session, make)


@router.post("/preview")
async def preview_estimate(
    principal: Member, session: ReadSession, organization: CurrentOrganization, body: EstimatePreview, today: Today
) -> EstimatePreviewOut:
    """The totals of an estimate that is being written; nothing is made.

    Refused as making it would be, but for the plan. For nobody yet, it is in the organization's currency.
    """
    draft = await service.preview(session, organization, principal, body, today=today)
    return EstimatePreviewOut(**previewed(draft), expiry_date=body.expiry_date)


@router.get("/{estimate_id}", response_model=EstimateOut)
async def get_estimate(
    principal: Viewer, session: ReadSession, organization: CurrentOrganization, estimate_id: str, today: Today
) -> Response:
    """One estimate."""
    estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
    return _shown(await documents.whole(session, ESTIMATES, estimate), organization, principal, today)


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
    return _shown(edited, organization, principal, today)


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
    return _shown(marked, organization, principal, today)


@router.get("/{estimate_id}/pdf", response_class=Response, responses=PDF_RESPONSES)
async def get_estimate_pdf(
    _: Viewer,
    database: ServiceDatabase,
    estimate_id: str,
    today: Today,
    as_pdf: AsPdf,
    organization_id: OrganizationId = None,
) -> Response:
    """The estimate as a PDF, to view or to download."""
    async with database.reading() as session:  # not kept open while the PDF is made
        organization = await organizations.get(session, organization_id)
        estimate = await documents.find(session, ESTIMATES, organization.id, estimate_id)
        document = await printing.to_print(session, organization, estimate, today)
    return await as_pdf.answer(document, estimate.estimate_number)
