"""The arithmetic of documents, and the only place where there is any.

What holds for every estimate and invoice, and is what the tests prove:

    gross        = quantity * rate                      rounded half up to the minor unit, once per line
    discount     = gross * discount_percentage / 100    rounded half up, once per line
    item_total   = gross - discount
    share        = the line's part of the document discount
    taxable      = item_total - share
    tax          = taxable * tax_percentage / 100       rounded half up, once per line

    document_discount = sum of item_total * discount_percentage / 100, rounded half up once, or an amount; never both
    sub_total         = sum of gross         discount_total = sum of discount + document_discount
    tax_total         = sum of tax           adjustment     = what is added or taken off at the end, untaxed
    total             = sub_total - discount_total + tax_total + adjustment, and not below zero

Each amount is rounded where it first appears and never again, and what follows starts from the rounded one. So every
sum is exact, anyone can recompute a printed document from its printed numbers, and the tax summary, added up per line
and not from the rate's sum, comes to ``tax_total`` to the last cent.

The document discount is shared out in proportion to ``item_total``, by largest remainder: the shares add up to it
exactly, and none is negative or above its line. Of equal remainders the larger line comes first, then the higher tax
rate, then the earlier line; so the order of lines changes which line bears a cent, but no amount of the document.

Pure: the standard library's decimals, never floats, and a context of its own, so that the caller's changes nothing.
"""

from invoice_service.totals.calculation import calculate
from invoice_service.totals.refusals import (
    MAX_AMOUNT,
    MAX_DECIMALS,
    MAX_FACTORS,
    MINOR_UNITS,
    AdjustmentTooLarge,
    DocumentDiscountTooLarge,
    DocumentPercentageOutOfRange,
    DocumentTotalTooLarge,
    DocumentValueNotANumber,
    DocumentValueRefused,
    DocumentValueTooFine,
    LineValueRefused,
    MinorUnitRefused,
    NegativeDocumentDiscount,
    NegativeValue,
    NotANumber,
    PercentageOutOfRange,
    TooManyDecimals,
    TotalBelowZero,
    TwoDocumentDiscounts,
    ValueTooLarge,
)
from invoice_service.totals.values import DocumentTotals, Line, LineTotals, TaxRow

__all__ = [
    "MAX_AMOUNT",
    "MAX_DECIMALS",
    "MAX_FACTORS",
    "MINOR_UNITS",
    "AdjustmentTooLarge",
    "DocumentDiscountTooLarge",
    "DocumentPercentageOutOfRange",
    "DocumentTotalTooLarge",
    "DocumentTotals",
    "DocumentValueNotANumber",
    "DocumentValueRefused",
    "DocumentValueTooFine",
    "Line",
    "LineTotals",
    "LineValueRefused",
    "MinorUnitRefused",
    "NegativeDocumentDiscount",
    "NegativeValue",
    "NotANumber",
    "PercentageOutOfRange",
    "TaxRow",
    "TooManyDecimals",
    "TotalBelowZero",
    "TwoDocumentDiscounts",
    "ValueTooLarge",
    "calculate",
]
