"""What is told of items."""

from decimal import Decimal

from contracts.items import ItemCreated, ItemDeleted, ItemSnapshot, ItemUpdated

from invoice_service.items.models import Item
from invoice_service.line_items import plain, unit_price


def created(item: Item, currency_code: str) -> ItemCreated:
    """An item is new."""
    return ItemCreated(data=_snapshot(item, currency_code))


def updated(item: Item, currency_code: str) -> ItemUpdated:
    """An item changed."""
    return ItemUpdated(data=_snapshot(item, currency_code))


def deleted(item: Item, currency_code: str) -> ItemDeleted:
    """An item is gone; ``item`` is how it was last."""
    last = _snapshot(item, currency_code)
    return ItemDeleted(data=last.model_copy(update={"deleted": True, "version": last.version + 1}))


def _snapshot(item: Item, currency_code: str) -> ItemSnapshot:
    return ItemSnapshot(
        id=item.id,
        version=item.version,
        organization_id=item.organization_id,
        name=item.name,
        description=item.description,
        rate=Decimal(unit_price(item.rate, currency_code)),
        currency_code=currency_code,
        unit=item.unit,
        tax_percentage=Decimal(plain(item.tax_percentage)),
    )
