"""``/v1/invoices``, and an estimate's conversion into one."""

import datetime
from typing import Literal

from contracts.documents import InvoiceStatus
from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Admin, Member, Principal, Viewer
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, ServiceDatabase, WriteSession

from invoice_service.documents import queries as documents
from invoice_service.documents.printing import PDF_RESPONSES, AsPdf
from invoice_service.documents.queries import WholeDocument
from invoice_service.documents.requests import FilterQuery, Today
from invoice_service.documents.schemas import StatusBody, previewed
from invoice_service.invoices import printing, queries, service
from invoice_service.invoices.conversion import convert
from invoice_service.invoices.models import INVOICES, Invoice
from invoice_service.invoices.schemas import (
    InvoiceBody,
    InvoiceEdit,
    InvoiceOut,
    InvoicePreview,
    InvoicePreviewOut,
    InvoiceSummary,
)
from invoice_service.organizations import queries as organizations
from invoice_service.organizations.current import (
    CurrentOrganization,
    CurrentOrganizationToWrite,
    OrganizationId,
)
from invoice_service.organizations.models import Organization

router = APIRouter(prefix="/v1", tags=["invoices"])


def _shown(
    whole: WholeDocument[Invoice],
    organization: Organization,
    principal: Principal,
    today: datetime.date,
    *,
    created: bool = False,
) -> Response:
    path = f"/v1/invoices/{whole.document.id}" if created else None
    return answer(
        InvoiceOut.of_whole(whole, organization, principal, today), whole.document.version, created_at_path=path
    )


@router.get("/invoices")
async def list_invoices(
    _: Viewer,
    session: ReadSession,
    organization: CurrentOrganization,
    page: PageQuery,
    filters: FilterQuery,
    today: Today,
    status: InvoiceStatus | None = None,
    is_past_due: bool | None = None,
) -> Page[InvoiceSummary]:
    """Invoices without their lines, newest first. ``q``: beginnings of words of number, customer or reference.

    ``is_past_due``: those for which something is owed since their due date, the partially paid among them.
    """
    found, cursor = await queries.page(
        session, organization.id, page, filters, status=status, is_past_due=is_past_due, today=today
    )
    return Page(items=[InvoiceSummary.of(invoice, today) for invoice in found], next_cursor=cursor)


@router.post("/invoices", status_code=201, response_model=InvoiceOut)
async def create_invoice(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    body: InvoiceBody,
    today: Today,
) -> Response:
    """A new draft."""

    async def make() -> Response:
        whole = await service.create(session, organization, principal, body, today=today)
        return _shown(whole, organization, principal, today, created=True)

    return await idempotency.once(session, make)


@router.post("/invoices/preview")
async def preview_invoice(
    principal: Member, session: ReadSession, organization: CurrentOrganization, body: InvoicePreview, today: Today
) -> InvoicePreviewOut:
    """The totals of an invoice that is being written; nothing is made.

    Refused as making it would be, but for the plan. For nobody yet, it is in the organization's currency.
    """
    draft, due = await service.preview(session, organization, principal, body, today=today)
    return InvoicePreviewOut(**previewed(draft), **due)


@router.get("/invoices/{invoice_id}", response_model=InvoiceOut)
async def get_invoice(
    principal: Viewer, session: ReadSession, organization: CurrentOrganization, invoice_id: str, today: Today
) -> Response:
    """One invoice."""
    invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
    return _shown(await documents.whole(session, INVOICES, invoice), organization, principal, today)


@router.patch("/invoices/{invoice_id}", response_model=InvoiceOut)
async def edit_invoice(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    invoice_id: str,
    if_match: IfMatch,
    body: InvoiceEdit,
    today: Today,
) -> Response:
    """Change the fields sent."""
    edited = await service.edit(
        session, organization, principal, invoice_id, body, expected_version=if_match, today=today
    )
    return _shown(edited, organization, principal, today)


@router.delete("/invoices/{invoice_id}", status_code=204)
async def delete_invoice(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    invoice_id: str,
    if_match: IfMatch,
    today: Today,
) -> None:
    """Delete a draft that has the newest number; the estimate it came from may be converted again."""
    await service.remove(session, organization, principal, invoice_id, expected_version=if_match, today=today)


@router.post("/invoices/{invoice_id}/status/{status}", response_model=InvoiceOut)
async def mark_invoice(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    invoice_id: str,
    status: Literal["sent", "void", "draft"],
    if_match: IfMatch,
    today: Today,
    body: StatusBody | None = None,
) -> Response:
    """Make it sent, void or (a void one) a draft again; one that is so already stays as it is."""
    marked = await service.mark(
        session,
        organization,
        principal,
        invoice_id,
        status,
        potential_version=body.crm_potential_version if body else None,
        expected_version=if_match,
        today=today,
    )
    return _shown(marked, organization, principal, today)


@router.get("/invoices/{invoice_id}/pdf", response_class=Response, responses=PDF_RESPONSES)
async def get_invoice_pdf(
    _: Viewer,
    database: ServiceDatabase,
    invoice_id: str,
    today: Today,
    as_pdf: AsPdf,
    organization_id: OrganizationId = None,
) -> Response:
    """The invoice as a PDF, to view or to download."""
    async with database.reading() as session:  # not kept open while the PDF is made
        organization = await organizations.get(session, organization_id)
        invoice = await documents.find(session, INVOICES, organization.id, invoice_id)
        document = await printing.to_print(session, organization, invoice, today)
    return await as_pdf.answer(document, invoice.invoice_number)


@router.post("/invoices/{invoice_id}/unlock", response_model=InvoiceOut)
async def unlock_invoice(
    principal: Admin,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    invoice_id: str,
    if_match: IfMatch,
    today: Today,
) -> Response:
    """Let the workflow change the status again, which it leaves alone since a person has changed it (S17)."""
    unlocked = await service.unlock(
        session, organization, principal, invoice_id, expected_version=if_match, today=today
    )
    return _shown(unlocked, organization, principal, today)


@router.post("/estimates/{estimate_id}/convert", status_code=201, response_model=InvoiceOut)
async def convert_estimate(
    principal: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    estimate_id: str,
    if_match: IfMatch,
    today: Today,
) -> Response:
    """Make the estimate an invoice: a draft of today with the same lines."""

    async def make() -> Response:
        invoice = await convert(session, organization, principal, estimate_id, expected_version=if_match, today=today)
        return _shown(invoice, organization, principal, today, created=True)

    return await idempotency.once(session, make)
