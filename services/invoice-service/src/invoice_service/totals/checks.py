"""Whether a document can be computed: every value that was asked for, before anything is."""

from decimal import Decimal

from invoice_service.totals import refusals as refused
from invoice_service.totals.refusals import MAX_AMOUNT, MAX_DECIMALS, MAX_FACTORS
from invoice_service.totals.values import Line


def check_line(index: int, line: Line) -> None:
    """Raise a `LineValueRefused` for the line's first value out of bounds."""
    for field, value in (("quantity", line.quantity), ("rate", line.rate)):
        _check_finite(index, field, value)
        if value < 0:
            raise refused.NegativeValue(index, field, "must not be negative")
        if value >= MAX_FACTORS[field]:
            raise refused.ValueTooLarge(index, field, f"must stay below {MAX_FACTORS[field]:,f}")
        _check_decimals(index, field, value)
    percentages = (("discount_percentage", line.discount_percentage), ("tax_percentage", line.tax_percentage))
    for field, value in percentages:
        _check_finite(index, field, value)
        if not 0 <= value <= 100:
            raise refused.PercentageOutOfRange(index, field, "must be between 0 and 100")
        _check_decimals(index, field, value)


def check_document(discount_percentage: Decimal, discount_amount: Decimal, adjustment: Decimal, unit: Decimal) -> None:
    """Raise a `DocumentValueRefused` for the first value out of bounds; ``unit``: the currency's smallest amount."""
    values = {
        "discount_percentage": discount_percentage,
        "discount_amount": discount_amount,
        "adjustment": adjustment,
    }
    for field, value in values.items():
        if not value.is_finite():
            raise refused.DocumentValueNotANumber(field, "must be a finite number")
    if not 0 <= discount_percentage <= 100:
        raise refused.DocumentPercentageOutOfRange("discount_percentage", "must be between 0 and 100")
    if not _has_decimals(discount_percentage, MAX_DECIMALS):
        raise refused.DocumentValueTooFine("discount_percentage", f"must have at most {MAX_DECIMALS} decimals")
    if discount_amount < 0:
        raise refused.NegativeDocumentDiscount("discount_amount", "must not be negative")
    if discount_amount >= MAX_AMOUNT:
        raise refused.DocumentDiscountTooLarge("discount_amount", f"must stay below {MAX_AMOUNT:,f}")
    if not -MAX_AMOUNT < adjustment < MAX_AMOUNT:
        raise refused.AdjustmentTooLarge("adjustment", f"must stay within {MAX_AMOUNT:,f}, up or down")
    decimals = -int(unit.as_tuple().exponent)
    for field in ("discount_amount", "adjustment"):
        if not _has_decimals(values[field], decimals):
            raise refused.DocumentValueTooFine(field, f"must have at most {decimals} decimals, as the currency has")
    if discount_percentage and discount_amount:
        raise refused.TwoDocumentDiscounts("discount_amount", "must be 0 where there is a discount_percentage")


def _check_finite(index: int, field: str, value: Decimal) -> None:
    if not value.is_finite():
        raise refused.NotANumber(index, field, "must be a finite number")


def _check_decimals(index: int, field: str, value: Decimal) -> None:
    if not _has_decimals(value, MAX_DECIMALS):
        raise refused.TooManyDecimals(index, field, f"must have at most {MAX_DECIMALS} decimals")


def _has_decimals(value: Decimal, decimals: int) -> bool:
    """Whether ``value`` has at most so many decimals that are not zeros."""
    return value == value.quantize(Decimal(1).scaleb(-decimals))
