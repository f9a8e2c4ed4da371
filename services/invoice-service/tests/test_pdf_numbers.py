"""Numbers and dates of printed documents, in the manner of their language."""

from datetime import date
from decimal import Decimal

import pytest
from babel import Locale
from invoice_service.pdf import numbers

D = Decimal


class TestNumbers:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            (numbers.money(D("1234567.5"), 2, Locale.parse("en_US")), "1,234,567.50"),
            (numbers.money(D("-0.10"), 2, Locale.parse("en_US")), "−0.10"),
            (numbers.money(D("1234567.5"), 2, Locale.parse("en_IN")), "12,34,567.50"),
            (numbers.money(D("1234.5"), 2, Locale.parse("fr_FR")), "1\u202f234,50"),
            (numbers.money(D("1234.5"), 2, Locale.parse("ar_EG")), "1,234.50"),
            (numbers.money(D("500"), 0, Locale.parse("en_US")), "500"),
            (numbers.money_with_currency(D("1234.5"), 2, "USD", Locale.parse("en_US")), "$1,234.50"),
            (numbers.money_with_currency(D("1.25"), 3, "KWD", Locale.parse("en_US")), "KWD\xa01.250"),
            (numbers.money_with_currency(D(1234), 0, "JPY", Locale.parse("de_DE")), "1.234\xa0¥"),
            (numbers.rate(D("0.0125"), 2, Locale.parse("en_US")), "0.0125"),
            (numbers.rate(D("1E+3"), 2, Locale.parse("en_US")), "1,000.00"),
            (numbers.quantity(D("12.000"), Locale.parse("en_US")), "12"),
            (numbers.quantity(D("1200.50"), Locale.parse("en_US")), "1,200.5"),
            (numbers.quantity(D("0.00"), Locale.parse("en_US")), "0"),
            (numbers.percentage(D("7.50"), Locale.parse("en_US")), "7.5%"),
            (numbers.percentage(D("7.50"), Locale.parse("de_DE")), "7,5\xa0%"),
            (numbers.percentage(D("0.00"), Locale.parse("en_US")), "–"),
            (numbers.day(date(2026, 12, 31), Locale.parse("en_GB")), "31 Dec 2026"),
            (numbers.day(date(2026, 12, 31), Locale.parse("ar_EG")), "31 ديسمبر 2026"),
        ],
    )
    def test_are_written_as_the_language_does(self, written: str, expected: str) -> None:
        assert written == expected
