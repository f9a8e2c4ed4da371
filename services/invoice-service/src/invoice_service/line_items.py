"""Line items of documents: as they are sent, as they are kept, and how amounts are written."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Self

from contracts.values import MINOR_UNITS
from pydantic import BaseModel, Field, model_validator
from servicekit.errors import invalid_field
from servicekit.fields import Body, Id, Line, Name, Text

from invoice_service import totals

MAX_LINE_ITEMS = 1_000
"""Lines of one document."""


class LineItemBody(Body):
    """A line. ``rate`` in units of the document's currency; percentages as 19 for 19 %.

    With ``item_id``, what is left out of name, description, unit, rate and tax is the item's, as it is now.
    """

    item_id: Id | None = None
    name: Name = Field("", validate_default=False)
    description: Text = ""
    unit: Line = ""
    quantity: Decimal = Decimal(1)
    rate: Decimal = Decimal(0)
    discount_percentage: Decimal = Decimal(0)
    tax_percentage: Decimal = Decimal(0)

    @model_validator(mode="after")
    def _name_and_rate(self) -> Self:
        missing = [name for name in ("name", "rate") if name not in self.model_fields_set]
        if self.item_id is None and missing:
            raise ValueError(f"without an item_id a line needs {' and '.join(missing)}")
        return self


class LineItemOut(BaseModel):
    item_id: str | None
    name: str
    description: str
    unit: str
    quantity: str
    rate: str
    discount_percentage: str
    tax_percentage: str
    item_total: str


_FACTORS = ("quantity", "rate", "discount_percentage", "tax_percentage")
_FINEST = Decimal(1).scaleb(-totals.MAX_DECIMALS)


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line of a document; ``item_total`` is before tax."""

    name: str
    description: str
    quantity: Decimal
    rate: Decimal
    discount_percentage: Decimal
    tax_percentage: Decimal
    item_total: Decimal
    item_id: str | None = None
    unit: str = ""

    def row(self, **key: Any) -> dict[str, Any]:
        """The line as a table's row."""
        return asdict(self) | key

    def out(self, currency_code: str) -> LineItemOut:
        """The line as it is shown."""
        return LineItemOut(
            item_id=self.item_id,
            name=self.name,
            description=self.description,
            unit=self.unit,
            quantity=plain(self.quantity),
            rate=unit_price(self.rate, currency_code),
            discount_percentage=plain(self.discount_percentage),
            tax_percentage=plain(self.tax_percentage),
            item_total=money(self.item_total, currency_code),
        )

    def asked(self) -> dict[str, Any]:
        """What was asked for: without what was computed."""
        return {name: value for name, value in asdict(self).items() if name != "item_total"}


def from_row(row: Mapping[Any, Any]) -> LineItem:
    """The line that a table's row holds."""
    return LineItem(**{name: row[name] for name in LineItem.__dataclass_fields__})


def compute(
    lines: Sequence[Mapping[str, Any]],
    currency_code: str,
    *,
    discount_percentage: Decimal = Decimal(0),
    discount_amount: Decimal = Decimal(0),
    adjustment: Decimal = Decimal(0),
) -> tuple[list[LineItem], totals.DocumentTotals]:
    """The lines asked for with their item totals, and the document's amounts. Raises `Invalid`, naming the field."""
    asked = [
        totals.Line(
            quantity=line["quantity"],
            rate=line["rate"],
            discount_percentage=line["discount_percentage"],
            tax_percentage=line["tax_percentage"],
        )
        for line in lines
    ]
    try:
        amounts = totals.calculate(
            asked,
            MINOR_UNITS[currency_code],
            discount_percentage=discount_percentage,
            discount_amount=discount_amount,
            adjustment=adjustment,
        )
    except totals.LineValueRefused as error:
        raise invalid_field(f"line_items.{error.index}.{error.field}", error.reason) from None
    except totals.DocumentValueRefused as error:
        raise invalid_field(error.field, error.reason) from None
    except totals.DocumentTotalTooLarge as error:
        raise invalid_field("line_items", str(error)) from None
    items = [
        LineItem(**{**line, **{name: _settled(line[name]) for name in _FACTORS}}, item_total=of.item_total)
        for line, of in zip(lines, amounts.lines, strict=True)
    ]
    return items, amounts


def _settled(factor: Decimal) -> Decimal:
    """The same number as it is kept, however it was typed: 1E+3 as 1000.000000, and -0 as 0.000000."""
    return factor.quantize(_FINEST) + 0


def money(amount: Decimal, currency_code: str) -> str:
    """An amount with exactly the currency's decimals."""
    return f"{amount:.{MINOR_UNITS[currency_code]}f}"


def unit_price(rate: Decimal, currency_code: str) -> str:
    """A rate with at least the currency's decimals, and more only where it has them."""
    short = plain(rate)
    decimals = len(short.partition(".")[2])
    return f"{rate:.{max(decimals, MINOR_UNITS[currency_code])}f}"


def plain(number: Decimal) -> str:
    """A number without zeros that say nothing: 2, 19.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
