"""One document that the CRM shows: its details, its changes and its PDF, which are Invoice's (S10–S12)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
from servicekit.auth import Principal
from servicekit.errors import Problem

from crm_service.documents import queries, reflection
from crm_service.documents.clients import is_gone
from crm_service.documents.models import Document, Kind, Told
from crm_service.documents.parts import Parts


async def details(parts: Parts, kind: Kind, document_id: str, principal: Principal) -> httpx.Response:
    """The whole document, with what ``principal`` may do with it, and why not. Raises `DocumentNotFound`."""
    async with _shown(parts, kind, document_id) as document:
        return await parts.invoice.about(document, "GET", principal)


async def preview(parts: Parts, kind: Kind, document_id: str, body: dict[str, Any], principal: Principal) -> Any:
    """What the document would come to; nothing is changed. Raises `DocumentNotFound`, and what Invoice refuses."""
    async with parts.database.reading() as session:
        document = await queries.get(session, kind, document_id)
    return await parts.invoice.preview(document.organization_id, kind, body, principal)


async def change(
    parts: Parts,
    kind: Kind,
    document_id: str,
    principal: Principal,
    *,
    values: dict[str, Any] | None = None,
    status: str | None = None,
    if_match: str | None = None,
) -> httpx.Response:
    """Edit the document in Invoice, or give it another status, and show it so at once.

    Raises `DocumentNotFound`, and what Invoice refuses: a document that may no longer be changed (409), or that someone
    else has changed meanwhile (412).
    """
    method, path = ("PATCH", "") if status is None else ("POST", f"/status/{status}")
    async with _shown(parts, kind, document_id) as document:
        answer = await parts.invoice.about(document, method, principal, path=path, json=values, if_match=if_match)
    told = Told.by_answer(kind, document.organization_id, orjson.loads(answer.content))
    async with parts.database.transaction() as session:
        await reflection.take_in(session, [told], now=True)
    return answer


async def pdf(
    parts: Parts, kind: Kind, document_id: str, principal: Principal, *, download: bool, if_none_match: str | None
) -> httpx.Response:
    """The PDF as an open answer, which is to be closed. Raises `DocumentNotFound`."""
    async with _shown(parts, kind, document_id) as document:
        return await parts.invoice.pdf(document, principal, download=download, if_none_match=if_none_match)


@asynccontextmanager
async def _shown(parts: Parts, kind: Kind, document_id: str) -> AsyncIterator[Document]:
    """The document; if Invoice says that it has it no longer, the CRM does not show it any more either."""
    async with parts.database.reading() as session:
        document = await queries.get(session, kind, document_id)
    try:
        yield document
    except Problem as problem:
        if is_gone(problem, document):
            async with parts.database.transaction() as session:
                await reflection.take_in(session, [Told.gone(kind, document_id)], now=True)
        raise
