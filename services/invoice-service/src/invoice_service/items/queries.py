"""Reading items."""

from collections.abc import Collection

from servicekit import search
from servicekit.errors import NotFound
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service.items.models import Item

SEARCH_KIND = "item"


class ItemNotFound(NotFound):
    code = "item_not_found"


async def get(session: AsyncSession, organization_id: str, item_id: str, *, lock: bool = False) -> Item:
    """One item; ``lock``: until the transaction ends. Raises `ItemNotFound`."""
    statement = select(Item).where(Item.organization_id == organization_id, Item.id == item_id)
    item = (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()
    if item is None:
        raise ItemNotFound(f"there is no item {item_id} in this organization", item_id=item_id)
    return item


async def get_many(session: AsyncSession, organization_id: str, item_ids: Collection[str]) -> dict[str, Item]:
    """Those of these items that the organization has, by id; in one statement."""
    if not item_ids:
        return {}
    found = await session.execute(select(Item).where(Item.organization_id == organization_id, Item.id.in_(item_ids)))
    return {item.id: item for item in found.scalars()}


async def page(
    session: AsyncSession, organization_id: str, request: PageRequest, *, q: str | None = None
) -> tuple[list[Item], str | None]:
    """A page of items, newest first."""
    statement = select(Item).where(Item.organization_id == organization_id)
    if q is not None:
        statement = statement.where(search.matches(SEARCH_KIND, Item.__table__.c.id, q))
    return await fetch_page(session, statement, keys=[Item.id], page=request, key_of=lambda item: [item.id])
