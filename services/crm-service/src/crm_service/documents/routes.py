"""The documents of accounts, contacts and potentials: lists, fetch and refresh, and making one (S6–S9)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from servicekit.auth import Member, Principal, Viewer
from servicekit.pagination import MAX_LIMIT, PageRequest, decode_cursor
from servicekit.sessions import ReadSession
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.accounts import service as accounts
from crm_service.contacts import service as contacts
from crm_service.documents import creating, document_routes, fetching, queries
from crm_service.documents.answers import as_answered
from crm_service.documents.models import Kind, RecordKey, RecordType
from crm_service.documents.parts import CurrentParts, Parts
from crm_service.documents.schemas import (
    DocumentsOut,
    NewEstimate,
    NewEstimateOfPotential,
    NewInvoice,
    NewInvoiceOfPotential,
)
from crm_service.potentials import service as potentials

router = APIRouter(tags=["documents"])
router.include_router(document_routes.router)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Send one: then trying again after a failure makes no second document",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page, of each kind")]
EstimatesCursor = Annotated[str | None, Query(description="`estimates_cursor` of the page before")]
InvoicesCursor = Annotated[str | None, Query(description="`invoices_cursor` of the page before")]

MADE: dict[int | str, dict[str, Any]] = {201: {"description": "The document, as Invoice writes it"}}

_FIND = {"account": accounts.get, "contact": contacts.get, "potential": potentials.get}


def _add_lists(record_type: RecordType) -> None:
    path = f"/v1/{record_type}s/{{record_id}}/documents"

    @router.get(path, name=f"list_{record_type}_documents")
    async def list_documents(
        record_id: str,
        session: ReadSession,
        _: Viewer,
        limit: Limit = 50,
        estimates_cursor: EstimatesCursor = None,
        invoices_cursor: InvoicesCursor = None,
    ) -> DocumentsOut:
        """Estimates and invoices as last known, newest first; an account's list has those of its contacts too."""
        pages = (page_of(limit, estimates_cursor), page_of(limit, invoices_cursor))
        return await _listed(session, RecordKey(record_type, record_id), *pages)

    @router.post(f"{path}/refresh", name=f"refresh_{record_type}_documents")
    async def refresh_documents(record_id: str, parts: CurrentParts, _: Viewer, limit: Limit = 50) -> DocumentsOut:
        """Fetch them from Invoice, the first time or again, and give the list; 503 if Invoice does not answer."""
        key = RecordKey(record_type, record_id)
        async with parts.database.reading() as session:
            await _FIND[record_type](session, record_id)
        await fetching.refresh(parts, key)
        async with parts.database.reading() as session:
            return await _listed(session, key, page_of(limit, None), page_of(limit, None))


def page_of(limit: int, cursor: str | None) -> PageRequest:
    """The page that ``cursor`` asks for. Raises `BadRequest`."""
    return PageRequest(limit, None if cursor is None else decode_cursor(cursor))


async def _listed(session: AsyncSession, key: RecordKey, estimates: PageRequest, invoices: PageRequest) -> DocumentsOut:
    await _FIND[key.record_type](session, key.record_id)
    return DocumentsOut.of(
        await queries.fetch_of(session, key),
        await queries.page(session, key, "estimate", estimates),
        await queries.page(session, key, "invoice", invoices),
    )


def _add_making(record_type: Literal["account", "contact"]) -> None:
    path = f"/v1/{record_type}s/{{record_id}}"

    @router.post(f"{path}/estimates", status_code=201, responses=MADE, name=f"create_{record_type}_estimate")
    async def create_estimate(
        record_id: str, body: NewEstimate, parts: CurrentParts, principal: Member, key: IdempotencyKey = None
    ) -> Response:
        """An estimate in Invoice; the record becomes a customer first, if it is none yet."""
        return await _made(parts, RecordKey(record_type, record_id), "estimate", body.sent(), key, principal)

    @router.post(f"{path}/invoices", status_code=201, responses=MADE, name=f"create_{record_type}_invoice")
    async def create_invoice(
        record_id: str, body: NewInvoice, parts: CurrentParts, principal: Member, key: IdempotencyKey = None
    ) -> Response:
        """An invoice in Invoice; the record becomes a customer first, if it is none yet."""
        return await _made(parts, RecordKey(record_type, record_id), "invoice", body.sent(), key, principal)


@router.post("/v1/potentials/{potential_id}/estimates", status_code=201, responses=MADE)
async def create_potential_estimate(
    potential_id: str,
    parts: CurrentParts,
    principal: Member,
    body: NewEstimateOfPotential | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """An estimate for the potential's account or contact; without a body, of the potential's name and amount."""
    sent = body.sent() if body else {}
    return await _made(parts, RecordKey("potential", potential_id), "estimate", sent, key, principal)


@router.post("/v1/potentials/{potential_id}/invoices", status_code=201, responses=MADE)
async def create_potential_invoice(
    potential_id: str,
    parts: CurrentParts,
    principal: Member,
    body: NewInvoiceOfPotential | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """An invoice for the potential's account or contact; without a body, of the potential's name and amount."""
    sent = body.sent() if body else {}
    return await _made(parts, RecordKey("potential", potential_id), "invoice", sent, key, principal)


async def _made(
    parts: Parts, record: RecordKey, kind: Kind, body: dict[str, Any], key: str | None, principal: Principal
) -> Response:
    return as_answered(await creating.create(parts, record, kind, body, key, principal))


_add_lists("account")
_add_lists("contact")
_add_lists("potential")
_add_making("account")
_add_making("contact")
