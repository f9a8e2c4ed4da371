"""Dates, money and numbers as a person writes them, by the language that their browser asks for."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from unicodedata import decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
    get_decimal_symbol,
    get_group_symbol,
)
from markupsafe import Markup

DEFAULT = "en_US"
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
_SPACES_AND_QUOTES = " \u00a0\u202f'\u2019"
"""What people type for a group sign that their keyboard does not have."""


class Formats:
    """How to write values in one locale. ``tag``: its BCP 47 name, such as ``de-DE``."""

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.tag = str(locale).replace("_", "-")
        self._decimal = get_decimal_symbol(locale)
        groups = re.escape(get_group_symbol(locale)) + _SPACES_AND_QUOTES
        whole = rf"\d+|\d{{1,3}}(?:[{groups}]\d{{2,3}})+"
        self._number = re.compile(rf"([+-]?)({whole})(?:{re.escape(self._decimal)}(\d+))?")

    def money(self, amount: Decimal | None, currency: str) -> str:
        """An amount with its currency; nothing for None. All decimals that it has, the currency's at least."""
        if amount is None:
            return ""
        usual = format_currency(amount, currency, locale=self.locale)
        decimals = -int(Decimal(amount).normalize().as_tuple().exponent)
        if decimals <= get_currency_precision(currency):
            return usual
        return format_currency(amount, currency, locale=self.locale, currency_digits=False, decimal_quantization=False)

    def number(self, value: Decimal | int | None) -> str:
        """A number with all its decimals."""
        return "" if value is None else format_decimal(value, locale=self.locale, decimal_quantization=False)

    def read(self, typed: str) -> str:
        """A number that was typed as this locale writes it, as the API takes it: in German, "1.234,5" as "1234.5".

        Anything else stays as it is, to be refused or not by whoever takes it.
        """
        found = self._number.fullmatch(typed.strip().replace("\u2212", "-"))
        if found is None:
            return typed
        sign, whole, decimals = found.groups()
        return f"{sign}{_digits(whole)}.{_digits(decimals)}" if decimals else f"{sign}{_digits(whole)}"

    def in_a_field(self, plain: str) -> str:
        """A number of the API as it is typed in this locale, without groups; anything else stays as it is."""
        return plain.replace(".", self._decimal) if _PLAIN.fullmatch(plain) else plain

    def percent(self, value: Decimal | None) -> str:
        """19 as "19%"."""
        return "" if value is None else format_percent(value / 100, locale=self.locale, decimal_quantization=False)

    def day(self, value: date | None) -> str:
        """A date, such as "Oct 13, 2026"; nothing for None."""
        return "" if value is None else format_date(value, "medium", locale=self.locale)

    def month(self, value: date) -> str:
        """A month and its year, such as "Oct 2026"."""
        return format_date(value, "MMM y", locale=self.locale)

    def moment(self, value: datetime | None) -> str:
        """A moment in UTC; the script turns it into the time where the person is."""
        if value is None:
            return ""
        text = format_datetime(value, "medium", locale=self.locale)
        return Markup('<time datetime="{}" data-moment>{} UTC</time>').format(value.isoformat(), text)


def _digits(text: str) -> str:
    return "".join(str(decimal(each)) for each in text if each.isdecimal())


@lru_cache(256)
def formats_for(accept_language: str) -> Formats:
    """The formats of the first language in an ``Accept-Language`` header (RFC 9110) that we know; else American."""
    for tag in _by_preference(accept_language):
        if tag.partition("-")[0].isalpha():
            try:
                return Formats(Locale.parse(tag.replace("-", "_")))
            except (UnknownLocaleError, ValueError):
                continue
    return Formats(Locale.parse(DEFAULT))


def _by_preference(accept_language: str) -> list[str]:
    weighted = []
    for part in accept_language[:200].split(","):
        tag, _, parameter = part.strip().partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            weight = float(value) if name == "q" else 1.0
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda each: -each[0])]
