"""Which numbers a document is computed with, and what is said of the others."""

from decimal import Decimal

MAX_DECIMALS = 6
"""Decimal places of a quantity, a rate and a percentage."""
MAX_FACTORS = {"quantity": Decimal(10**9), "rate": Decimal(10**12)}
"""A quantity and a rate stay below these; a rate takes every amount that a potential may have."""
MAX_AMOUNT = Decimal(10**12)
"""Every amount of a document stays below this, in whole units of the currency: events carry no larger one."""
MINOR_UNITS = (0, 2, 3, 4)
"""The minor-unit exponents of ISO 4217: yen 0, euro 2, Kuwaiti dinar 3, unidad de fomento 4."""


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


class DocumentValueRefused(ValueError):
    """A value of the whole document that cannot be computed with; ``field`` is the document's field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class DocumentValueNotANumber(DocumentValueRefused):
    """NaN or an infinity."""


class DocumentPercentageOutOfRange(DocumentValueRefused):
    """A discount of less than 0 % or more than 100 %."""


class DocumentValueTooFine(DocumentValueRefused):
    """More decimals than the currency has, or than a percentage may have."""


class NegativeDocumentDiscount(DocumentValueRefused):
    """A discount below zero: what is added is an adjustment."""


class DocumentDiscountTooLarge(DocumentValueRefused):
    """A discount above what the lines come to."""


class TwoDocumentDiscounts(DocumentValueRefused):
    """A percentage and an amount at once."""


class AdjustmentTooLarge(DocumentValueRefused):
    """An adjustment that reaches ``MAX_AMOUNT``, up or down."""


class TotalBelowZero(DocumentValueRefused):
    """An adjustment that takes off more than there is."""


class DocumentTotalTooLarge(ValueError):
    """The sub-total or the total reaches ``MAX_AMOUNT``."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} must stay below {MAX_AMOUNT:,f}")
        self.field = field


class MinorUnitRefused(ValueError):
    """A minor-unit exponent that no currency has."""
