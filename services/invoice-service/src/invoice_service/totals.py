"""The arithmetic of documents, and the only place where there is any.

What holds for every estimate and invoice, and is what the tests prove:

    gross        = quantity * rate                      rounded half up to the minor unit, once per line
    discount     = gross * discount_percentage / 100    rounded half up, once per line
    item_total   = gross - discount
    tax          = item_total * tax_percentage / 100    rounded half up, once per line

    sub_total      = sum of gross          discount_total = sum of discount          tax_total = sum of tax
    total          = sub_total - discount_total + tax_total

Each amount is rounded where it first appears and never again, and what follows starts from the rounded one. So every
sum is exact, anyone can recompute a printed document from its printed numbers, and the tax summary, added up per line
and not from the rate's sum, comes to ``tax_total`` to the last cent.

Pure: the standard library's decimals, never floats, and a context of its own, so that the caller's changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext

MAX_DECIMALS = 6
"""Decimal places of a quantity, a rate and a percentage."""
MAX_FACTORS = {"quantity": Decimal(10**9), "rate": Decimal(10**12)}
"""A quantity and a rate stay below these; a rate takes every amount that a potential may have."""
MAX_AMOUNT = Decimal(10**13)
"""Every amount of a document stays below this, in whole units of the currency."""
MINOR_UNITS = (0, 2, 3, 4)
"""The minor-unit exponents of ISO 4217: yen 0, euro 2, Kuwaiti dinar 3, unidad de fomento 4."""

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
# The longest product is 15 + 18 digits, which the default precision of 28 would round before we do.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow])


@dataclass(frozen=True, slots=True)
class Line:
    """What a line asks for; ``rate`` in units of the currency, the percentages as 19 for 19 %."""

    quantity: Decimal
    rate: Decimal
    discount_percentage: Decimal = _ZERO
    tax_percentage: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class LineTotals:
    """What a line comes to, in units of the currency with exactly its decimals. ``item_total`` is before tax."""

    gross: Decimal
    discount: Decimal
    item_total: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class TaxRow:
    """What all lines of one tax rate come to: the sum of their item totals, and of their taxes."""

    tax_percentage: Decimal
    taxable: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """A document's amounts; ``lines`` in the order given, ``taxes`` by rising rate, the rate 0 among them."""

    lines: tuple[LineTotals, ...]
    sub_total: Decimal
    discount_total: Decimal
    tax_total: Decimal
    total: Decimal
    taxes: tuple[TaxRow, ...]


class LineValueRefused(ValueError):
    """A line's value that cannot be computed with; ``index`` counts from 0 and ``field`` is the line's field."""

    def __init__(self, index: int, field: str, reason: str) -> None:
        super().__init__(f"line_items[{index}].{field} {reason}")
        self.index = index
        self.field = field
        self.reason = reason


class NotANumber(LineValueRefused):
    """NaN or an infinity."""


class NegativeValue(LineValueRefused):
    """A quantity or a rate below zero."""


class PercentageOutOfRange(LineValueRefused):
    """A percentage outside 0 to 100."""


class ValueTooLarge(LineValueRefused):
    """A quantity or a rate past ``MAX_FACTORS``."""


class TooManyDecimals(LineValueRefused):
    """More than ``MAX_DECIMALS`` decimal places that are not zeros."""


class DocumentTotalTooLarge(ValueError):
    """The sub-total or the total reaches ``MAX_AMOUNT``."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} must stay below {MAX_AMOUNT:,f}")
        self.field = field


class MinorUnitRefused(ValueError):
    """A minor-unit exponent that no currency has."""


def calculate(lines: Sequence[Line], minor_unit: int) -> DocumentTotals:
    """Compute a document's amounts from its ``lines``, in a currency with ``minor_unit`` decimals (yen 0, euro 2).

    Raises a ``LineValueRefused`` for the first value out of bounds, ``DocumentTotalTooLarge``, or ``MinorUnitRefused``.
    """
    if minor_unit not in MINOR_UNITS:
        raise MinorUnitRefused(f"a currency has {', '.join(map(str, MINOR_UNITS))} decimals, not {minor_unit}")
    unit = Decimal(1).scaleb(-minor_unit)
    with localcontext(_CONTEXT):
        for index, line in enumerate(lines):
            _check(index, line)
        return _sum_up(lines, [_line_totals(line, unit) for line in lines], unit)


def _line_totals(line: Line, unit: Decimal) -> LineTotals:
    gross = _rounded(line.quantity * line.rate, unit)
    discount = _rounded(gross * line.discount_percentage / _HUNDRED, unit)
    item_total = gross - discount
    tax = _rounded(item_total * line.tax_percentage / _HUNDRED, unit)
    return LineTotals(gross=gross, discount=discount, item_total=item_total, tax=tax)


def _sum_up(lines: Sequence[Line], computed: Sequence[LineTotals], unit: Decimal) -> DocumentTotals:
    nothing = _rounded(_ZERO, unit)
    sub_total = sum((line.gross for line in computed), nothing)
    discount_total = sum((line.discount for line in computed), nothing)
    tax_total = sum((line.tax for line in computed), nothing)
    total = sub_total - discount_total + tax_total
    # No other amount can be larger than the larger of these two.
    for field, amount in (("sub_total", sub_total), ("total", total)):
        if amount >= MAX_AMOUNT:
            raise DocumentTotalTooLarge(field)

    by_rate: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for line, amounts in zip(lines, computed, strict=True):
        rate = _plain(line.tax_percentage)
        taxable, tax = by_rate.get(rate, (nothing, nothing))
        by_rate[rate] = (taxable + amounts.item_total, tax + amounts.tax)
    taxes = tuple(TaxRow(rate, *by_rate[rate]) for rate in sorted(by_rate))
    return DocumentTotals(tuple(computed), sub_total, discount_total, tax_total, total, taxes)


def _check(index: int, line: Line) -> None:
    for field, value in (("quantity", line.quantity), ("rate", line.rate)):
        _check_finite(index, field, value)
        if value < 0:
            raise NegativeValue(index, field, "must not be negative")
        if value >= MAX_FACTORS[field]:
            raise ValueTooLarge(index, field, f"must stay below {MAX_FACTORS[field]:,f}")
        _check_decimals(index, field, value)
    percentages = (("discount_percentage", line.discount_percentage), ("tax_percentage", line.tax_percentage))
    for field, value in percentages:
        _check_finite(index, field, value)
        if not 0 <= value <= 100:
            raise PercentageOutOfRange(index, field, "must be between 0 and 100")
        _check_decimals(index, field, value)


def _check_finite(index: int, field: str, value: Decimal) -> None:
    if not value.is_finite():
        raise NotANumber(index, field, "must be a finite number")


def _check_decimals(index: int, field: str, value: Decimal) -> None:
    if value != value.quantize(Decimal(1).scaleb(-MAX_DECIMALS)):
        raise TooManyDecimals(index, field, f"must have at most {MAX_DECIMALS} decimals")


def _rounded(amount: Decimal, unit: Decimal) -> Decimal:
    # Adding zero turns a negative zero, which "-0" times anything gives, into plain zero.
    return amount.quantize(unit) + _ZERO


def _plain(percentage: Decimal) -> Decimal:
    """The same number in one form only, so that 19 and 19.00 are one rate and 20 is not written as 2E+1."""
    short = percentage.normalize() + _ZERO
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
