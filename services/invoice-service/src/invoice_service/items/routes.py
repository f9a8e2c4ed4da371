"""``/v1/items``."""

from fastapi import APIRouter, Response
from servicekit.answers import answer
from servicekit.auth import Member, Viewer
from servicekit.etags import IfMatch
from servicekit.idempotency import Idempotent
from servicekit.pagination import Page, PageQuery
from servicekit.sessions import ReadSession, WriteSession

from invoice_service.items import queries, service
from invoice_service.items.schemas import ItemBody, ItemEdit, ItemOut
from invoice_service.organizations.current import CurrentOrganization, CurrentOrganizationToWrite

router = APIRouter(prefix="/v1/items", tags=["items"])


@router.get("")
async def list_items(
    _: Viewer, session: ReadSession, organization: CurrentOrganization, page: PageQuery, q: str | None = None
) -> Page[ItemOut]:
    """Items, newest first. ``q``: beginnings of words of its name or description."""
    found, cursor = await queries.page(session, organization.id, page, q=q)
    return Page(items=[ItemOut.of(item, organization.currency_code) for item in found], next_cursor=cursor)


@router.post("", status_code=201, response_model=ItemOut)
async def create_item(
    _: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    idempotency: Idempotent,
    body: ItemBody,
) -> Response:
    """A new item."""

    async def make() -> Response:
        item = await service.create(session, organization, body)
        shown = ItemOut.of(item, organization.currency_code)
        return answer(shown, item.version, created_at_path=f"/v1/items/{item.id}")

    return await idempotency.once(session, make)


@router.get("/{item_id}", response_model=ItemOut)
async def get_item(_: Viewer, session: ReadSession, organization: CurrentOrganization, item_id: str) -> Response:
    """One item."""
    item = await queries.get(session, organization.id, item_id)
    return answer(ItemOut.of(item, organization.currency_code), item.version)


@router.patch("/{item_id}", response_model=ItemOut)
async def edit_item(
    _: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    item_id: str,
    if_match: IfMatch,
    body: ItemEdit,
) -> Response:
    """Change the fields sent; documents that have lines of it stay as they are."""
    item = await service.edit(session, organization, item_id, body, expected_version=if_match)
    return answer(ItemOut.of(item, organization.currency_code), item.version)


@router.delete("/{item_id}", status_code=204)
async def delete_item(
    _: Member,
    session: WriteSession,
    organization: CurrentOrganizationToWrite,
    item_id: str,
    if_match: IfMatch,
) -> None:
    """Delete it; documents that have lines of it stay as they are."""
    await service.remove(session, organization, item_id, expected_version=if_match)
