"""How numbers and dates are written: in English, with commas for thousands and a point.

One place, so that an organization's own language and habits can come in here. Units are those of ``document``.
"""

from datetime import date
from decimal import Decimal

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def money(amount: Decimal, minor_unit: int) -> str:
    """1234.5 with two decimals → "1,234.50"; a negative amount with a true minus sign."""
    return f"{amount:,.{minor_unit}f}".replace("-", "−")


def rate(value: Decimal, minor_unit: int) -> str:
    """A price per unit: at least the currency's decimals, and more where the price has more ("0.0125")."""
    return f"{value:,.{max(minor_unit, _decimals(value))}f}".replace("-", "−")


def quantity(value: Decimal) -> str:
    """As many decimals as it has, without closing zeros: 12.00 → "12", 1.50 → "1.5"."""
    return f"{value:,.{_decimals(value)}f}".replace("-", "−")


def percentage(value: Decimal) -> str:
    """19 → "19%"; zero, which nobody wants to read in every line, → "–"."""
    return f"{quantity(value)}%" if value else "–"


def day(value: date) -> str:
    """A date that reads the same on both sides of the Atlantic: "4 Mar 2026". Not ``strftime``: it asks the locale."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
