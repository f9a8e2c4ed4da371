"""Amounts from lines, by the rules at the head of the package."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from itertools import repeat

from invoice_service.totals import refusals as refused
from invoice_service.totals.checks import check_document, check_line
from invoice_service.totals.refusals import MAX_AMOUNT, MINOR_UNITS
from invoice_service.totals.values import DocumentTotals, Line, LineTotals, TaxRow

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
# The longest product is 15 + 18 digits, which the default precision of 28 would round before we do.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow])


def calculate(
    lines: Sequence[Line],
    minor_unit: int,
    *,
    discount_percentage: Decimal = _ZERO,
    discount_amount: Decimal = _ZERO,
    adjustment: Decimal = _ZERO,
) -> DocumentTotals:
    """Compute a document's amounts from its ``lines``, in a currency with ``minor_unit`` decimals (yen 0, euro 2).

    The discount is of the whole document: a percentage (5 for 5 %) or an amount, not both. Amounts are in units of the
    currency. Raises a ``LineValueRefused`` for the first line's value out of bounds, a ``DocumentValueRefused`` for the
    first of the document's, ``DocumentTotalTooLarge``, or ``MinorUnitRefused``.
    """
    if minor_unit not in MINOR_UNITS:
        raise refused.MinorUnitRefused(f"a currency has {', '.join(map(str, MINOR_UNITS))} decimals, not {minor_unit}")
    unit = Decimal(1).scaleb(-minor_unit)
    with localcontext(_CONTEXT):
        for index, line in enumerate(lines):
            check_line(index, line)
        check_document(discount_percentage, discount_amount, adjustment, unit)
        return _calculate(lines, unit, discount_percentage, discount_amount, _rounded(adjustment, unit))


def _calculate(
    lines: Sequence[Line], unit: Decimal, discount_percentage: Decimal, discount_amount: Decimal, adjustment: Decimal
) -> DocumentTotals:
    nothing = _rounded(_ZERO, unit)
    grosses = [_rounded(line.quantity * line.rate, unit) for line in lines]
    sub_total = sum(grosses, nothing)
    if sub_total >= MAX_AMOUNT:
        raise refused.DocumentTotalTooLarge("sub_total")
    discounts = [
        _rounded(gross * line.discount_percentage / _HUNDRED, unit) for line, gross in zip(lines, grosses, strict=True)
    ]
    item_totals = [gross - discount for gross, discount in zip(grosses, discounts, strict=True)]
    discounted = sum(item_totals, nothing)
    if discount_amount > discounted:
        raise refused.DocumentDiscountTooLarge(
            "discount_amount", f"must not be above {discounted:,f}, which the lines come to"
        )
    document_discount = _rounded(discounted * discount_percentage / _HUNDRED + discount_amount, unit)
    shares = _shares(document_discount, lines, item_totals, unit)
    computed = tuple(map(_line_totals, lines, grosses, discounts, shares, repeat(unit)))
    discount_total = sub_total - discounted + document_discount
    tax_total = sum((line.tax for line in computed), nothing)
    before = sub_total - discount_total + tax_total
    total = before + adjustment
    if total < 0:
        raise refused.TotalBelowZero("adjustment", f"must not take off more than {before:,f}, which is all there is")
    # No amount but the adjustment, which is bounded itself, can be larger than the larger of this and the sub-total.
    if total >= MAX_AMOUNT:
        raise refused.DocumentTotalTooLarge("total")
    return DocumentTotals(
        lines=computed,
        sub_total=sub_total,
        document_discount=document_discount,
        discount_total=discount_total,
        tax_total=tax_total,
        adjustment=adjustment,
        total=total,
        taxes=_by_rate(lines, computed, nothing),
    )


def _shares(discount: Decimal, lines: Sequence[Line], item_totals: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """``discount`` shared out over the lines in proportion to ``item_totals``, by largest remainder."""
    if not discount:
        return [discount] * len(lines)
    # In whole minor units, so that what remains of a division is exact.
    weights = [int(item_total / unit) for item_total in item_totals]
    to_share, whole = int(discount / unit), sum(weights)
    divided = [divmod(to_share * weight, whole) for weight in weights]
    shares = [share for share, _ in divided]
    by_remainder = sorted(
        range(len(lines)), key=lambda at: (-divided[at][1], -weights[at], -lines[at].tax_percentage, at)
    )
    # Fewer units are left than lines with a remainder; a line with one has room for a unit more.
    for at in by_remainder[: to_share - sum(shares)]:
        shares[at] += 1
    return [share * unit for share in shares]


def _line_totals(line: Line, gross: Decimal, discount: Decimal, share: Decimal, unit: Decimal) -> LineTotals:
    item_total = gross - discount
    taxable = item_total - share
    tax = _rounded(taxable * line.tax_percentage / _HUNDRED, unit)
    return LineTotals(gross, discount, item_total, share, taxable, tax)


def _by_rate(lines: Sequence[Line], computed: Sequence[LineTotals], nothing: Decimal) -> tuple[TaxRow, ...]:
    by_rate: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for line, amounts in zip(lines, computed, strict=True):
        rate = _plain(line.tax_percentage)
        taxable, tax = by_rate.get(rate, (nothing, nothing))
        by_rate[rate] = (taxable + amounts.taxable, tax + amounts.tax)
    return tuple(TaxRow(rate, *by_rate[rate]) for rate in sorted(by_rate))


def _rounded(amount: Decimal, unit: Decimal) -> Decimal:
    # Adding zero turns a negative zero, which "-0" times anything gives, into plain zero.
    return amount.quantize(unit) + _ZERO


def _plain(percentage: Decimal) -> Decimal:
    """The same number in one form only, so that 19 and 19.00 are one rate and 20 is not written as 2E+1."""
    short = percentage.normalize() + _ZERO
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
