"""``/v1/export``."""

from typing import Annotated, Any

import orjson
from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from fastapi import APIRouter, Depends, Header, Query, Response
from servicekit.auth import CurrentPrincipal
from servicekit.pagination import Page, PageRequest, decode_cursor
from servicekit.sessions import ReadSession, ServiceDatabase
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.export import queries, service
from crm_service.export.schemas import MAX_LIMIT, Counts, Found, Lookup

router = APIRouter(prefix="/v1/export", tags=["export"])


async def _page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page")] = MAX_LIMIT,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit=limit, after=None if cursor is None else decode_cursor(cursor))


async def _admitted(
    database: ServiceDatabase,
    session: ReadSession,
    principal: CurrentPrincipal,
    key_id: Annotated[str | None, Header(alias="X-ZSC-Key-Id", description="For our own services")] = None,
    key: Annotated[str | None, Header(alias="X-ZSC-Key")] = None,
    email: Annotated[str | None, Header(alias="X-ZSC-Email", description="The address of the key's owner")] = None,
) -> AsyncSession:
    await service.admit(database, principal, service.Shown(key_id, key, email))
    return session


Admitted = Annotated[AsyncSession, Depends(_admitted)]
FeedPage = Annotated[PageRequest, Depends(_page)]


def _as_it_is(**body: Any) -> Response:
    # Not through the form that the answer has in the API document: that would refuse a whole page for one record.
    return Response(orjson.dumps(body), media_type="application/json")


async def _page_of(feed: queries.Feed, session: AsyncSession, page: PageRequest) -> Response:
    items, cursor = await feed.page(session, page)
    return _as_it_is(items=items, next_cursor=cursor)


@router.get("/accounts", response_model=Page[AccountSnapshot])
async def export_accounts(session: Admitted, page: FeedPage) -> Response:
    """All accounts, oldest first; a deleted one with ``deleted`` true."""
    return await _page_of(queries.ACCOUNTS, session, page)


@router.get("/contacts", response_model=Page[ContactSnapshot])
async def export_contacts(session: Admitted, page: FeedPage) -> Response:
    """All contacts, oldest first; a deleted one with ``deleted`` true."""
    return await _page_of(queries.CONTACTS, session, page)


@router.post("/accounts/lookup", response_model=Found[AccountSnapshot])
async def look_up_accounts(session: Admitted, body: Lookup) -> Response:
    """These accounts, as the feed gives them; an id that no account has is left out."""
    return _as_it_is(items=await queries.ACCOUNTS.these(session, body.ids))


@router.post("/contacts/lookup", response_model=Found[ContactSnapshot])
async def look_up_contacts(session: Admitted, body: Lookup) -> Response:
    """These contacts, as the feed gives them; an id that no contact has is left out."""
    return _as_it_is(items=await queries.CONTACTS.these(session, body.ids))


@router.get("/counts")
async def count_records(session: Admitted) -> Counts:
    """How many records there are to read."""
    return Counts(accounts=await queries.ACCOUNTS.count(session), contacts=await queries.CONTACTS.count(session))
