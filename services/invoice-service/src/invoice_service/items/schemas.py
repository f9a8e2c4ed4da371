"""Items in JSON."""

from decimal import Decimal
from typing import Self

from pydantic import BaseModel
from servicekit.fields import Body, Edit, Line, Name, Text

from invoice_service.items.models import Item
from invoice_service.line_items import plain, unit_price


class ItemBody(Body):
    """``rate``: for one ``unit``, in the organization's currency, up to 6 decimals; ``tax_percentage``: 19 for 19 %."""

    name: Name
    description: Text = ""
    rate: Decimal
    unit: Line = ""
    tax_percentage: Decimal = Decimal(0)


class ItemEdit(Edit):
    """Only the fields sent change."""

    name: Name = ""
    description: Text = ""
    rate: Decimal = Decimal(0)
    unit: Line = ""
    tax_percentage: Decimal = Decimal(0)


class ItemOut(BaseModel):
    id: str
    version: int
    name: str
    description: str
    rate: str
    currency_code: str
    unit: str
    tax_percentage: str

    @classmethod
    def of(cls, item: Item, currency_code: str) -> Self:
        """The item as it is shown; ``currency_code`` is its organization's."""
        return cls(
            id=item.id,
            version=item.version,
            name=item.name,
            description=item.description,
            rate=unit_price(item.rate, currency_code),
            currency_code=currency_code,
            unit=item.unit,
            tax_percentage=plain(item.tax_percentage),
        )
