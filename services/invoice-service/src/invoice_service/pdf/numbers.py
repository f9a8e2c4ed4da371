"""How numbers and dates are written: as the document's language does, by the rules of Unicode's CLDR (through Babel).

Digits are the Latin ones in every language: they are read everywhere, and business in Arabic and Thai writes them too.
Units are those of ``document``.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern, parse_pattern

_MINUS = "\u2212"
# Marks that set a direction: the renderer finds it by itself, and no reader wants them copied.
_MARKS = re.compile("[\u061c\u200e\u200f]")
_LETTER_AND_FIGURE = re.compile(f"(?<=[A-Z])(?=[{_MINUS}0-9])")


@lru_cache(maxsize=200)
def _signs(locale: Locale) -> tuple[str, str, bool]:
    """The signs of thousands and decimals, and whether thousands are grouped by three throughout."""
    symbols = locale.number_symbols["latn"]
    grouped_by_three = locale.decimal_formats[None].grouping == (3, 3)
    return symbols["group"], symbols["decimal"], grouped_by_three


@lru_cache(maxsize=200)
def _pattern(pattern: str, decimals: int) -> NumberPattern:
    parsed = parse_pattern(pattern)
    parsed.frac_prec = (decimals, decimals)
    return parsed


def _number(value: Decimal, decimals: int, locale: Locale) -> str:
    group, point, grouped_by_three = _signs(locale)
    if grouped_by_three:
        # Babel takes 25 µs for what this does in one, and a long invoice has thousands of numbers.
        written = f"{value:,.{decimals}f}".replace(",", "\0").replace(".", point).replace("\0", group)
    else:
        written = _pattern(locale.decimal_formats[None].pattern, decimals).apply(value, locale)
    return written.replace("-", _MINUS)


def money(amount: Decimal, minor_unit: int, locale: Locale) -> str:
    """1234.5 with two decimals → "1,234.50" or "1.234,50"; a negative amount with a true minus sign."""
    return _number(amount, minor_unit, locale)


def money_with_currency(amount: Decimal, minor_unit: int, currency_code: str, locale: Locale) -> str:
    """1234.5 EUR → "€1,234.50", "1.234,50 €"; a currency without a sign in the language by its code."""
    pattern = _pattern(locale.currency_formats["standard"].pattern, minor_unit)
    written = pattern.apply(amount, locale, currency=currency_code, currency_digits=False)
    # CLDR puts a space between letters and figures, which Babel leaves out.
    return _LETTER_AND_FIGURE.sub("\xa0", _MARKS.sub("", written).replace("-", _MINUS))


def rate(value: Decimal, minor_unit: int, locale: Locale) -> str:
    """A price per unit: at least the currency's decimals, and more where the price has more ("0.0125")."""
    return _number(value, max(minor_unit, _decimals(value)), locale)


def quantity(value: Decimal, locale: Locale) -> str:
    """As many decimals as it has, without closing zeros: 12.00 → "12", 1.50 → "1.5"."""
    return _number(value, _decimals(value), locale)


def percentage(value: Decimal, locale: Locale) -> str:
    """19 → "19%", in German "19 %"; zero, which nobody wants to read in every line, → "–"."""
    return percentage_or_zero(value, locale) if value else "–"


def percentage_or_zero(value: Decimal, locale: Locale) -> str:
    pattern: Any = locale.percent_formats[None]
    before, after = (_MARKS.sub("", side[0]) for side in (pattern.prefix, pattern.suffix))
    return f"{before}{quantity(value, locale)}{after}"


def day(value: date, locale: Locale) -> str:
    """A date in the language's middle length: "Mar 4, 2026", "04.03.2026"; in Arabic with the month's name."""
    # Arabic's middle length is figures alone, which a line from right to left would show the other way round.
    length = "long" if locale.language == "ar" else "medium"
    return _MARKS.sub("", format_date(value, length, locale))


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
