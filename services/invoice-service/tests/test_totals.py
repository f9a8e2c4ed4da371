"""The arithmetic of documents: what is promised at the head of ``totals``, for any lines and by examples."""

from dataclasses import replace
from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice_service import totals
from invoice_service.totals import DocumentTotals, Line, calculate

D = Decimal
factors = st.decimals(min_value=0, max_value=D("99999"), places=6)
percentages = st.one_of(st.sampled_from([D(0), D(7), D("19.00"), D(100)]), st.decimals(0, 100, places=2))
lines = st.builds(Line, quantity=factors, rate=factors, discount_percentage=percentages, tax_percentage=percentages)
documents = st.lists(lines, max_size=12)
minor_units = st.sampled_from([0, 2, 3])


def one(quantity: str, rate: str, discount: str = "0", tax: str = "0", minor_unit: int = 2) -> DocumentTotals:
    return calculate([Line(D(quantity), D(rate), D(discount), D(tax))], minor_unit)


def half_up(exact: Fraction, minor_unit: int) -> Fraction:
    """Rounding half up by another road than the module's: whole numbers alone."""
    scaled = exact * 10**minor_unit
    return Fraction((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator), 10**minor_unit)


class TestForAnyLines:
    @given(documents, minor_units)
    def test_the_parts_add_up_exactly(self, document: list[Line], minor_unit: int) -> None:
        result = calculate(document, minor_unit)
        assert result.sub_total == sum(line.gross for line in result.lines)
        assert result.discount_total == sum(line.discount for line in result.lines)
        assert result.tax_total == sum(line.tax for line in result.lines)
        assert result.total == result.sub_total - result.discount_total + result.tax_total
        assert result.total == sum(line.item_total + line.tax for line in result.lines)

    @given(documents, minor_units)
    def test_the_tax_summary_adds_up_and_names_each_rate_once(self, document: list[Line], minor_unit: int) -> None:
        result = calculate(document, minor_unit)
        assert sum(row.tax for row in result.taxes) == result.tax_total
        assert sum(row.taxable for row in result.taxes) == result.sub_total - result.discount_total
        assert [row.tax_percentage for row in result.taxes] == sorted({line.tax_percentage for line in document})

    @given(lines, minor_units)
    def test_each_amount_is_rounded_half_up_once(self, line: Line, minor_unit: int) -> None:
        amounts = calculate([line], minor_unit).lines[0]
        gross = half_up(Fraction(line.quantity) * Fraction(line.rate), minor_unit)
        discount = half_up(gross * Fraction(line.discount_percentage) / 100, minor_unit)
        tax = half_up((gross - discount) * Fraction(line.tax_percentage) / 100, minor_unit)
        assert [Fraction(found) for found in (amounts.gross, amounts.discount, amounts.tax)] == [gross, discount, tax]
        assert Fraction(amounts.item_total) == gross - discount

    @given(documents, minor_units)
    def test_every_amount_has_the_currencys_decimals_and_is_not_negative(
        self, document: list[Line], minor_unit: int
    ) -> None:
        result = calculate(document, minor_unit)
        amounts = [result.sub_total, result.discount_total, result.tax_total, result.total]
        amounts += [amount for line in result.lines for amount in (line.gross, line.item_total, line.tax)]
        amounts += [amount for row in result.taxes for amount in (row.taxable, row.tax)]
        for amount in amounts:
            assert amount.as_tuple().exponent == -minor_unit
            assert amount.as_tuple().sign == 0

    @given(documents, minor_units, st.randoms(use_true_random=False))
    def test_the_order_of_lines_does_not_matter(self, document: list[Line], minor_unit: int, random) -> None:  # type: ignore[no-untyped-def]
        shuffled = random.sample(document, len(document))
        assert replace(calculate(shuffled, minor_unit), lines=()) == replace(calculate(document, minor_unit), lines=())

    @given(documents)
    def test_the_callers_decimal_context_changes_nothing(self, document: list[Line]) -> None:
        expected = calculate(document, 2)
        with localcontext(prec=3, rounding=ROUND_DOWN):
            assert calculate(document, 2) == expected


@pytest.mark.parametrize(
    ("quantity", "rate", "discount", "tax", "minor_unit", "gross", "less", "item_total", "taxed", "total"),
    [
        ("3", "33.33", "0", "19", 2, "99.99", "0.00", "99.99", "19.00", "118.99"),
        ("1", "0.005", "0", "0", 2, "0.01", "0.00", "0.01", "0.00", "0.01"),  # half goes up, not to even
        ("1", "0.004999", "0", "0", 2, "0.00", "0.00", "0.00", "0.00", "0.00"),
        ("1", "0.01", "50", "0", 2, "0.01", "0.01", "0.00", "0.00", "0.00"),  # half a cent of discount is a cent
        ("1", "0.01", "49.99", "100", 2, "0.01", "0.00", "0.01", "0.01", "0.02"),
        ("1", "0.50", "0", "5", 2, "0.50", "0.00", "0.50", "0.03", "0.53"),
        ("1", "10", "100", "19", 2, "10.00", "10.00", "0.00", "0.00", "0.00"),
        ("1.5", "333", "0", "10", 0, "500", "0", "500", "50", "550"),  # yen: 499.5 is 500
        ("1", "105", "0", "10", 0, "105", "0", "105", "11", "116"),
        ("2", "1.2345", "10", "5", 3, "2.469", "0.247", "2.222", "0.111", "2.333"),  # dinar
        ("999999999.999999", "0.000001", "0", "0", 2, "1000.00", "0.00", "1000.00", "0.00", "1000.00"),
        ("-0", "5", "0", "-0", 2, "0.00", "0.00", "0.00", "0.00", "0.00"),
    ],
)
def test_one_line(
    quantity: str, rate: str, discount: str, tax: str, minor_unit: int,
    gross: str, less: str, item_total: str, taxed: str, total: str,
) -> None:  # fmt: skip
    result = one(quantity, rate, discount, tax, minor_unit)
    line = result.lines[0]
    found = [str(amount) for amount in (line.gross, line.discount, line.item_total, line.tax, result.total)]
    assert found == [gross, less, item_total, taxed, total]


def test_tax_is_rounded_per_line_and_not_on_the_sum() -> None:
    three_cents_each = calculate([Line(D(1), D("0.50"), tax_percentage=D(5))] * 3, 2)
    assert three_cents_each.tax_total == D("0.09")  # 5 % of 1.50 would be 0.08
    assert three_cents_each.taxes == (totals.TaxRow(D(5), D("1.50"), D("0.09")),)


def test_one_rate_written_in_two_ways_is_one_row() -> None:
    result = calculate([Line(D(1), D(10), D(0), D("20")), Line(D(1), D(10), D(0), D("20.00")), Line(D(1), D(1))], 2)
    assert [(str(row.tax_percentage), str(row.tax)) for row in result.taxes] == [("0", "0.00"), ("20", "4.00")]


def test_no_lines_come_to_nothing() -> None:
    assert calculate([], 3) == DocumentTotals((), D("0.000"), D("0.000"), D("0.000"), D("0.000"), ())
    assert str(calculate([], 3).total) == "0.000"


class TestRefusals:
    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("quantity", "-0.000001", totals.NegativeValue),
            ("rate", "-1", totals.NegativeValue),
            ("discount_percentage", "-0.01", totals.PercentageOutOfRange),
            ("discount_percentage", "100.01", totals.PercentageOutOfRange),
            ("tax_percentage", "-1", totals.PercentageOutOfRange),
            ("tax_percentage", "1E+999999", totals.PercentageOutOfRange),
            ("quantity", "1000000000", totals.ValueTooLarge),
            ("rate", "1E+999999", totals.ValueTooLarge),
            ("quantity", "1.0000001", totals.TooManyDecimals),
            ("rate", "1E-999999", totals.TooManyDecimals),
            ("rate", "999999999.9999999", totals.TooManyDecimals),
            ("tax_percentage", "0.0000001", totals.TooManyDecimals),
            *[
                (field, value, totals.NotANumber)
                for field in ("quantity", "rate", "discount_percentage", "tax_percentage")
                for value in ("NaN", "sNaN", "Infinity", "-Infinity")
            ],
        ],
    )
    def test_a_line_value_out_of_bounds_is_named(
        self, field: str, value: str, error: type[totals.LineValueRefused]
    ) -> None:
        good = Line(D(1), D(1))
        bad = replace(good, **{field: D(value)})
        with pytest.raises(error, match=rf"^line_items\[1\]\.{field} must ") as caught:
            calculate([good, bad], 2)
        assert (caught.value.index, caught.value.field) == (1, field)

    def test_zeros_after_the_sixth_decimal_are_no_decimals(self) -> None:
        assert one("1.50000000000", "2").total == D("3.00")

    def test_the_largest_total_is_one_minor_unit_below_the_bound(self) -> None:
        assert one("10000", "999999999.999999").total == D("9999999999999.99")
        with pytest.raises(totals.DocumentTotalTooLarge, match=r"^sub_total must stay below 10,000,000,000,000$"):
            one("100000", "100000000")

    def test_a_total_too_large_by_its_tax_is_refused(self) -> None:
        with pytest.raises(totals.DocumentTotalTooLarge, match=r"^total "):
            one("10000", "999999999.999999", tax="1")

    def test_a_sub_total_too_large_is_refused_whatever_the_discount(self) -> None:
        with pytest.raises(totals.DocumentTotalTooLarge, match=r"^sub_total "):
            one("999999999", "999999999", discount="100")

    @pytest.mark.parametrize("minor_unit", [-1, 1, 5])
    def test_a_minor_unit_that_no_currency_has_is_refused(self, minor_unit: int) -> None:
        with pytest.raises(totals.MinorUnitRefused):
            calculate([], minor_unit)
