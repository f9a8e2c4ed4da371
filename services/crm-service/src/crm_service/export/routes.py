"""``/v1/export``."""

from typing import Annotated, Any

from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from fastapi import APIRouter, Depends, Header, Query
from servicekit.auth import CurrentPrincipal
from servicekit.pagination import Page, PageRequest, decode_cursor, fetch_page
from servicekit.sessions import ReadSession
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.accounts import events as account_events
from crm_service.accounts.models import Account
from crm_service.contacts import events as contact_events
from crm_service.contacts.models import Contact
from crm_service.export import service
from crm_service.records import Record

router = APIRouter(prefix="/v1/export", tags=["export"])

MAX_LIMIT = 1000


async def _page(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page")] = MAX_LIMIT,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit=limit, after=None if cursor is None else decode_cursor(cursor))


async def _admitted(
    session: ReadSession,
    principal: CurrentPrincipal,
    key_id: Annotated[str | None, Header(alias="X-ZSC-Key-Id", description="For our own services")] = None,
    key: Annotated[str | None, Header(alias="X-ZSC-Key")] = None,
    email: Annotated[str | None, Header(alias="X-ZSC-Email", description="The address of the key's owner")] = None,
) -> AsyncSession:
    await service.check(session, principal, service.Shown(key_id, key, email))
    return session


Admitted = Annotated[AsyncSession, Depends(_admitted)]
FeedPage = Annotated[PageRequest, Depends(_page)]


async def _rows(session: AsyncSession, kind: type[Record], page: PageRequest) -> tuple[list[Any], str | None]:
    return await fetch_page(
        session, select(kind), keys=[kind.id], page=page, key_of=lambda record: [record.id], descending=False
    )


@router.get("/accounts")
async def export_accounts(session: Admitted, page: FeedPage) -> Page[AccountSnapshot]:
    """All accounts, oldest first; a deleted one with ``deleted`` true."""
    rows, cursor = await _rows(session, Account, page)
    return Page(items=[account_events.snapshot(row) for row in rows], next_cursor=cursor)


@router.get("/contacts")
async def export_contacts(session: Admitted, page: FeedPage) -> Page[ContactSnapshot]:
    """All contacts, oldest first; a deleted one with ``deleted`` true."""
    rows, cursor = await _rows(session, Contact, page)
    return Page(items=[contact_events.snapshot(row) for row in rows], next_cursor=cursor)
