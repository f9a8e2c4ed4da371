"""The arithmetic of documents: what is promised at the head of ``totals``, for any lines and by examples."""

from dataclasses import astuple, replace
from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice_service import totals
from invoice_service.totals import DocumentTotals, Line, calculate

D = Decimal
Document = tuple[list[Line], int, dict[str, Decimal]]
factors = st.decimals(min_value=0, max_value=D("99999"), places=6)
percentages = st.one_of(st.sampled_from([D(0), D(7), D("19.00"), D(100)]), st.decimals(0, 100, places=2))
lines = st.builds(Line, quantity=factors, rate=factors, discount_percentage=percentages, tax_percentage=percentages)
documents = st.lists(lines, max_size=12)
minor_units = st.sampled_from([0, 2, 3, 4])


def one(quantity: str, rate: str, discount: str = "0", tax: str = "0", minor_unit: int = 2) -> DocumentTotals:
    return calculate([Line(D(quantity), D(rate), D(discount), D(tax))], minor_unit)


def half_up(exact: Fraction, minor_unit: int) -> Fraction:
    """Rounding half up by another road than the module's: whole numbers alone."""
    scaled = exact * 10**minor_unit
    return Fraction((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator), 10**minor_unit)


@st.composite
def whole_documents(draw: st.DrawFn) -> Document:
    """Lines with, of the whole document, a discount or none and an adjustment, in any currency."""
    asked, minor_unit = draw(documents), draw(minor_units)
    plain = calculate(asked, minor_unit)
    of_document = {}
    match draw(st.sampled_from(["percentage", "amount", "none"])):
        case "percentage":
            of_document["discount_percentage"] = draw(percentages)
        case "amount":
            of_document["discount_amount"] = draw(
                st.decimals(0, plain.sub_total - plain.discount_total, places=minor_unit)
            )
    before = calculate(asked, minor_unit, **of_document).total
    of_document["adjustment"] = draw(st.decimals(-before, D(10**6), places=minor_unit))
    return asked, minor_unit, of_document


class TestForAnyDocument:
    @given(whole_documents())
    def test_the_parts_add_up_exactly(self, document: Document) -> None:
        asked, minor_unit, of_document = document
        result = calculate(asked, minor_unit, **of_document)
        assert result.sub_total == sum(line.gross for line in result.lines)
        assert result.document_discount == sum(line.document_discount for line in result.lines)
        assert result.discount_total == sum(line.discount for line in result.lines) + result.document_discount
        assert result.tax_total == sum(line.tax for line in result.lines)
        assert result.adjustment == of_document["adjustment"]
        assert result.total == result.sub_total - result.discount_total + result.tax_total + result.adjustment
        assert result.total == sum(line.taxable + line.tax for line in result.lines) + result.adjustment

    @given(whole_documents())
    def test_the_tax_summary_adds_up_and_names_each_rate_once(self, document: Document) -> None:
        asked, minor_unit, of_document = document
        result = calculate(asked, minor_unit, **of_document)
        assert sum(row.tax for row in result.taxes) == result.tax_total
        assert sum(row.taxable for row in result.taxes) == result.sub_total - result.discount_total
        assert [row.tax_percentage for row in result.taxes] == sorted({line.tax_percentage for line in asked})

    @given(lines, minor_units)
    def test_each_amount_is_rounded_half_up_once(self, line: Line, minor_unit: int) -> None:
        amounts = calculate([line], minor_unit).lines[0]
        gross = half_up(Fraction(line.quantity) * Fraction(line.rate), minor_unit)
        discount = half_up(gross * Fraction(line.discount_percentage) / 100, minor_unit)
        tax = half_up((gross - discount) * Fraction(line.tax_percentage) / 100, minor_unit)
        assert [Fraction(found) for found in (amounts.gross, amounts.discount, amounts.tax)] == [gross, discount, tax]
        assert Fraction(amounts.item_total) == gross - discount

    @given(documents, minor_units, percentages)
    def test_the_documents_discount_is_rounded_half_up_once_and_tax_is_of_what_it_leaves(
        self, asked: list[Line], minor_unit: int, percentage: Decimal
    ) -> None:
        result = calculate(asked, minor_unit, discount_percentage=percentage)
        whole = Fraction(sum(line.item_total for line in result.lines))
        assert Fraction(result.document_discount) == half_up(whole * Fraction(percentage) / 100, minor_unit)
        for line, amounts in zip(asked, result.lines, strict=True):
            assert amounts.taxable == amounts.item_total - amounts.document_discount
            tax = half_up(Fraction(amounts.taxable) * Fraction(line.tax_percentage) / 100, minor_unit)
            assert Fraction(amounts.tax) == tax

    @given(whole_documents())
    def test_a_share_is_the_exact_one_to_less_than_a_minor_unit_and_never_more_than_its_line(
        self, document: Document
    ) -> None:
        asked, minor_unit, of_document = document
        result = calculate(asked, minor_unit, **of_document)
        whole = Fraction(sum(line.item_total for line in result.lines))
        for line in result.lines:
            assert 0 <= line.document_discount <= line.item_total
            if whole:
                exact = Fraction(result.document_discount) * Fraction(line.item_total) / whole
                assert abs(Fraction(line.document_discount) - exact) < Fraction(1, 10**minor_unit)

    @given(documents, minor_units)
    def test_a_discount_of_nothing_changes_nothing(self, asked: list[Line], minor_unit: int) -> None:
        plain = calculate(asked, minor_unit)
        assert calculate(asked, minor_unit, discount_percentage=D("0.00"), discount_amount=D("-0")) == plain
        assert all(line.taxable == line.item_total and line.document_discount == 0 for line in plain.lines)

    @given(whole_documents())
    def test_every_amount_has_the_currencys_decimals_and_only_an_adjustment_is_negative(
        self, document: Document
    ) -> None:
        asked, minor_unit, of_document = document
        result = calculate(asked, minor_unit, **of_document)
        amounts = [result.sub_total, result.document_discount, result.discount_total, result.tax_total, result.total]
        amounts += [amount for line in result.lines for amount in astuple(line)]
        amounts += [amount for row in result.taxes for amount in (row.taxable, row.tax)]
        for amount in amounts:
            assert amount.as_tuple().exponent == -minor_unit
            assert amount.as_tuple().sign == 0
        assert result.adjustment.as_tuple().exponent == -minor_unit

    @given(whole_documents(), st.randoms(use_true_random=False))
    def test_the_order_of_lines_does_not_matter(self, document: Document, random: Random) -> None:
        asked, minor_unit, of_document = document
        shuffled = random.sample(asked, len(asked))
        expected = calculate(asked, minor_unit, **of_document)
        assert replace(calculate(shuffled, minor_unit, **of_document), lines=()) == replace(expected, lines=())

    @given(whole_documents())
    def test_the_callers_decimal_context_changes_nothing(self, document: Document) -> None:
        asked, minor_unit, of_document = document
        expected = calculate(asked, minor_unit, **of_document)
        with localcontext(prec=3, rounding=ROUND_DOWN):
            assert calculate(asked, minor_unit, **of_document) == expected


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
    nothing = D("0.000")
    assert calculate([], 3) == DocumentTotals((), nothing, nothing, nothing, nothing, nothing, nothing, ())
    assert str(calculate([], 3).total) == "0.000"


def test_a_cent_that_does_not_divide_goes_to_the_largest_remainder() -> None:
    result = calculate([Line(D(1), D(10)), Line(D(1), D(20)), Line(D(1), D(70))], 2, discount_amount=D("0.99"))
    assert [str(line.document_discount) for line in result.lines] == ["0.10", "0.20", "0.69"]


def test_of_equal_lines_the_first_bears_the_cent_and_of_equal_amounts_the_higher_tax() -> None:
    equal = calculate([Line(D(1), D(10))] * 3, 2, discount_amount=D("0.01"))
    assert [str(line.document_discount) for line in equal.lines] == ["0.01", "0.00", "0.00"]
    taxed = calculate([Line(D(1), D(10)), Line(D(1), D(10), tax_percentage=D(19))], 2, discount_amount=D("0.01"))
    assert [str(line.document_discount) for line in taxed.lines] == ["0.00", "0.01"]


def test_a_discount_of_the_document_lowers_what_is_taxed_and_an_adjustment_does_not() -> None:
    asked = [Line(D(2), D(50), tax_percentage=D(19)), Line(D(1), D(100), D(10), D(7))]
    result = calculate(asked, 2, discount_percentage=D(10), adjustment=D("-0.13"))
    assert (str(result.sub_total), str(result.document_discount), str(result.discount_total)) == (
        "200.00",
        "19.00",
        "29.00",
    )
    assert [(str(row.tax_percentage), str(row.taxable), str(row.tax)) for row in result.taxes] == [
        ("7", "81.00", "5.67"),
        ("19", "90.00", "17.10"),
    ]
    assert (str(result.adjustment), str(result.total)) == ("-0.13", "193.64")


def test_the_whole_sum_may_be_taken_off() -> None:
    asked = [Line(D(1), D("0.01"), tax_percentage=D(19)), Line(D(1), D("0.02"))]
    assert calculate(asked, 2, discount_amount=D("0.03")).total == 0
    assert calculate(asked, 2, discount_percentage=D(100)).tax_total == 0
    assert calculate(asked, 2, adjustment=D("-0.03")).total == 0


def test_the_largest_document_is_exact() -> None:
    asked = [Line(D(1), D("999999999.999"), tax_percentage=D(0))] * 999 + [Line(D(1), D("0.001"))]
    result = calculate(asked, 3, discount_percentage=D("33.333333"))
    assert sum(line.document_discount for line in result.lines) == result.document_discount
    assert result.total == result.sub_total - result.document_discount


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
        assert one("1000", "999999999.99999").total == D("999999999999.99")
        with pytest.raises(totals.DocumentTotalTooLarge, match=r"^sub_total must stay below 1,000,000,000,000$"):
            one("100000", "100000000")

    def test_a_total_too_large_by_its_tax_is_refused(self) -> None:
        with pytest.raises(totals.DocumentTotalTooLarge, match=r"^total "):
            one("1000", "999999999.99999", tax="1")

    def test_a_sub_total_too_large_is_refused_whatever_the_discount(self) -> None:
        with pytest.raises(totals.DocumentTotalTooLarge, match=r"^sub_total "):
            one("999999999", "999999999", discount="100")

    @pytest.mark.parametrize("minor_unit", [-1, 1, 5])
    def test_a_minor_unit_that_no_currency_has_is_refused(self, minor_unit: int) -> None:
        with pytest.raises(totals.MinorUnitRefused):
            calculate([], minor_unit)

    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("discount_percentage", "-0.01", totals.DocumentPercentageOutOfRange),
            ("discount_percentage", "100.01", totals.DocumentPercentageOutOfRange),
            ("discount_percentage", "0.0000001", totals.DocumentValueTooFine),
            ("discount_amount", "-0.01", totals.NegativeDocumentDiscount),
            ("discount_amount", "0.001", totals.DocumentValueTooFine),
            ("discount_amount", "10.01", totals.DocumentDiscountTooLarge),
            ("discount_amount", "1E+999999", totals.DocumentDiscountTooLarge),
            ("adjustment", "0.001", totals.DocumentValueTooFine),
            ("adjustment", "1E-999999", totals.DocumentValueTooFine),
            ("adjustment", "-10.01", totals.TotalBelowZero),
            ("adjustment", "1000000000000", totals.AdjustmentTooLarge),
            ("adjustment", "-1E+999999", totals.AdjustmentTooLarge),
            *[
                (field, value, totals.DocumentValueNotANumber)
                for field in ("discount_percentage", "discount_amount", "adjustment")
                for value in ("NaN", "sNaN", "Infinity", "-Infinity")
            ],
        ],
    )
    def test_a_document_value_out_of_bounds_is_named(
        self, field: str, value: str, error: type[totals.DocumentValueRefused]
    ) -> None:
        with pytest.raises(error, match=rf"^{field} must ") as caught:
            calculate([Line(D(1), D(10))], 2, **{field: D(value)})
        assert caught.value.field == field

    def test_two_discounts_of_one_document_are_refused(self) -> None:
        with pytest.raises(totals.TwoDocumentDiscounts, match=r"^discount_amount must be 0 "):
            calculate([Line(D(1), D(10))], 2, discount_percentage=D(1), discount_amount=D(1))

    def test_a_total_too_large_by_its_adjustment_is_refused(self) -> None:
        with pytest.raises(totals.DocumentTotalTooLarge, match=r"^total "):
            calculate([Line(D(1), D(999999999999))], 2, adjustment=D("999999999999.99"))

    def test_yen_have_no_decimals_to_take_off(self) -> None:
        with pytest.raises(totals.DocumentValueTooFine, match=r"^discount_amount must have at most 0 decimals"):
            calculate([Line(D(1), D(10))], 0, discount_amount=D("0.5"))
        assert calculate([Line(D(1), D(10))], 0, discount_amount=D("5.00")).total == D(5)
