"""``/v1/estimates/{id}`` and ``/v1/invoices/{id}`` of documents that the CRM shows: handed on to Invoice (S10–S12)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from servicekit.auth import Member, Viewer
from servicekit.http import HandedOn

from crm_service.documents import editing
from crm_service.documents.answers import as_answered
from crm_service.documents.models import Kind
from crm_service.documents.parts import CurrentParts
from crm_service.documents.schemas import EstimateEdit, InvoiceEdit

router = APIRouter()

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", pattern=r"^[\x20-\x7e]{1,64}$", description='The `ETag` last read, such as `"3"`'),
]
SHOWN: dict[int | str, dict[str, Any]] = {200: {"description": "The document, as Invoice writes it"}}
PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "It is still the one with the ETag sent"},
}


def _add_reading(kind: Kind) -> None:
    path = f"/v1/{kind}s/{{document_id}}"

    @router.get(path, responses=SHOWN, name=f"get_{kind}")
    async def get_document(document_id: str, parts: CurrentParts, principal: Viewer) -> Response:
        """All of it: customer, dates, lines, taxes, totals, status, history, and what may be done, or why not."""
        return as_answered(await editing.details(parts, kind, document_id, principal))

    @router.get(f"{path}/pdf", response_class=Response, responses=PDF, name=f"get_{kind}_pdf")
    async def get_pdf(
        document_id: str,
        parts: CurrentParts,
        principal: Viewer,
        download: Annotated[bool, Query(description="Save it, rather than show it")] = False,
        if_none_match: Annotated[str | None, Header(pattern=r"^[\x20-\x7e]{1,200}$")] = None,
    ) -> Response:
        """It as a PDF, to view or to download."""
        answer = await editing.pdf(parts, kind, document_id, principal, download=download, if_none_match=if_none_match)
        return HandedOn(answer)


_add_reading("estimate")
_add_reading("invoice")


@router.patch("/v1/estimates/{document_id}", responses=SHOWN)
async def edit_estimate(
    document_id: str, body: EstimateEdit, parts: CurrentParts, principal: Member, if_match: IfMatch = None
) -> Response:
    """Change the fields sent, in Invoice."""
    values = body.sent()
    return as_answered(
        await editing.change(parts, "estimate", document_id, principal, values=values, if_match=if_match)
    )


@router.patch("/v1/invoices/{document_id}", responses=SHOWN)
async def edit_invoice(
    document_id: str, body: InvoiceEdit, parts: CurrentParts, principal: Member, if_match: IfMatch = None
) -> Response:
    """Change the fields sent, in Invoice."""
    values = body.sent()
    return as_answered(await editing.change(parts, "invoice", document_id, principal, values=values, if_match=if_match))


@router.post("/v1/estimates/{document_id}/status/{status}", responses=SHOWN)
async def mark_estimate(
    document_id: str,
    status: Literal["sent", "accepted", "declined"],
    parts: CurrentParts,
    principal: Member,
    if_match: IfMatch = None,
) -> Response:
    """Make it sent, accepted or declined, in Invoice; one that is so already stays as it is."""
    return as_answered(
        await editing.change(parts, "estimate", document_id, principal, status=status, if_match=if_match)
    )


@router.post("/v1/invoices/{document_id}/status/{status}", responses=SHOWN)
async def mark_invoice(
    document_id: str,
    status: Literal["sent", "void", "draft"],
    parts: CurrentParts,
    principal: Member,
    if_match: IfMatch = None,
) -> Response:
    """Make it sent, void or a draft again, in Invoice; from then on the workflow leaves its status alone (S17)."""
    return as_answered(await editing.change(parts, "invoice", document_id, principal, status=status, if_match=if_match))
