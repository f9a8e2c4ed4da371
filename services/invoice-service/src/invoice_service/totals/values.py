"""What a document is computed from, and what it comes to."""

from dataclasses import dataclass
from decimal import Decimal

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """What a line asks for; ``rate`` in units of the currency, the percentages as 19 for 19 %."""

    quantity: Decimal
    rate: Decimal
    discount_percentage: Decimal = _ZERO
    tax_percentage: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class LineTotals:
    """What a line comes to, in units of the currency with exactly its decimals.

    ``item_total`` is before the document's discount and before tax; ``document_discount`` is the line's share of it.
    """

    gross: Decimal
    discount: Decimal
    item_total: Decimal
    document_discount: Decimal
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class TaxRow:
    """What all lines of one tax rate come to: the sum of what is taxed, and of their taxes."""

    tax_percentage: Decimal
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """A document's amounts; ``lines`` in the order given, ``taxes`` by rising rate, the rate 0 among them.

    ``discount_total`` is of the lines and of the document together.
    """

    lines: tuple[LineTotals, ...]
    sub_total: Decimal
    document_discount: Decimal
    discount_total: Decimal
    tax_total: Decimal
    adjustment: Decimal
    total: Decimal
    taxes: tuple[TaxRow, ...]
