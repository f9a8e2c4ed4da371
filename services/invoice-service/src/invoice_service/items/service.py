"""Use cases: keep items."""

from decimal import Decimal
from typing import Any

from contracts.values import MINOR_UNITS
from servicekit import outbox, search
from servicekit.db import new_id
from servicekit.errors import invalid_field
from servicekit.etags import check_version
from sqlalchemy.ext.asyncio import AsyncSession

from invoice_service import totals
from invoice_service.items import events, queries
from invoice_service.items.models import Item
from invoice_service.items.queries import SEARCH_KIND
from invoice_service.items.schemas import ItemBody, ItemEdit
from invoice_service.organizations.models import Organization


async def create(session: AsyncSession, organization: Organization, body: ItemBody) -> Item:
    """A new item. Raises `Invalid`."""
    # Its currency stays what it is until the item is there.
    await session.refresh(organization, with_for_update={"read": True, "key_share": True})
    values = _checked(body.model_dump(), organization)
    item = Item(id=new_id(), organization_id=organization.id, **values)
    session.add(item)
    await session.flush()
    outbox.record(session, events.created(item, organization.currency_code))
    await search.index(session, SEARCH_KIND, {item.id: (item.name, item.description)}, new=True)
    return item


async def edit(
    session: AsyncSession, organization: Organization, item_id: str, body: ItemEdit, *, expected_version: int | None
) -> Item:
    """Change what was sent; documents stay as they are. Raises `ItemNotFound`, `PreconditionFailed`, `Invalid`."""
    values = _checked(body.model_dump(exclude_unset=True), organization)
    item = await queries.get(session, organization.id, item_id, lock=True)
    check_version(expected_version, item.version)
    if item.change(**values):
        await session.flush()
        outbox.record(session, events.updated(item, organization.currency_code))
        await search.index(session, SEARCH_KIND, {item.id: (item.name, item.description)})
    return item


async def remove(
    session: AsyncSession, organization: Organization, item_id: str, *, expected_version: int | None
) -> None:
    """Delete an item; documents stay as they are. Raises `ItemNotFound`, `PreconditionFailed`."""
    item = await queries.get(session, organization.id, item_id, lock=True)
    check_version(expected_version, item.version)
    await session.delete(item)
    await session.flush()
    outbox.record(session, events.deleted(item, organization.currency_code))
    await search.index(session, SEARCH_KIND, {item.id: ()})


def _checked(values: dict[str, Any], organization: Organization) -> dict[str, Any]:
    """The values, if a line can be computed with them. Raises `Invalid`."""
    line = totals.Line(
        quantity=Decimal(1),
        rate=values.get("rate", Decimal(0)),
        tax_percentage=values.get("tax_percentage", Decimal(0)),
    )
    try:
        totals.calculate([line], MINOR_UNITS[organization.currency_code])
    except totals.LineValueRefused as error:
        raise invalid_field(error.field, error.reason) from None
    # Adding zero turns a negative zero into plain zero.
    return values | {name: values[name] + 0 for name in ("rate", "tax_percentage") if name in values}
