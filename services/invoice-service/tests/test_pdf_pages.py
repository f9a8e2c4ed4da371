"""The pages of a PDF: paper, carried totals, marks, languages, statements."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invoice_service.pdf import (
    Mark,
    PrintableDocument,
    PrintableEntry,
    PrintableLine,
    PrintableStatement,
    PrintableTax,
    render,
    warnings,
)
from invoice_service.pdf.languages import language
from pypdf import PdfReader

D = Decimal
LANGUAGES = "en de fr es it pt nl pl el ru ar he th zh ja ko".split()


def an_invoice(count: int = 3, **changes: object) -> PrintableDocument:
    printed = tuple(
        PrintableLine(
            name=f"Article {number}.", quantity=D(1), rate=D("10.10"), item_total=D("10.10"), tax_percentage=D(19)
        )
        for number in range(1, count + 1)
    )
    total = D("10.10") * count
    document = PrintableDocument(
        kind="invoice",
        number="INV-000007",
        date=date(2026, 3, 4),
        end_date=date(2026, 4, 3),
        currency_code="EUR",
        minor_unit=2,
        organization_name="Northwind Traders",
        customer_name="Berglunds snabbköp",
        lines=printed,
        sub_total=total,
        discount_total=D(0),
        taxes=(PrintableTax(tax_percentage=D(19), taxable=D("1000.00"), tax=D("190.00")),),
        total=total,
        amount_paid=D("234.50"),
        balance=D("1000.00"),
        notes="Thank you.",
    )
    return replace(document, **changes)  # type: ignore[arg-type]


def a_statement(rows: int = 3, **changes: object) -> PrintableStatement:
    entries = tuple(
        PrintableEntry(
            date=date(2026, 1, 1) + timedelta(days=day),
            kind="invoice",
            number=f"INV-{day:06}",
            amount=D("100.00"),
            balance=D("50.00") + D(100) * (day + 1),
        )
        for day in range(rows)
    )
    paid = PrintableEntry(
        date=date(2026, 3, 1), kind="payment", number="PAY-1", payment=D("25.00"), balance=D("25.00") + D(100) * rows
    )
    statement = PrintableStatement(
        date_from=date(2026, 1, 1),
        date_to=date(2026, 3, 31),
        currency_code="EUR",
        minor_unit=2,
        organization_name="Northwind Traders",
        customer_name="Berglunds snabbköp",
        opening_balance=D("50.00"),
        rows=(*entries, paid),
        invoiced=D(100) * rows,
        received=D("25.00"),
        closing_balance=D("25.00") + D(100) * rows,
    )
    return replace(statement, **changes)  # type: ignore[arg-type]


def pages(printable: PrintableDocument | PrintableStatement) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(render(printable))).pages]


class TestCarriedTotals:
    @given(st.integers(20, 120), st.sampled_from(["A4", "Letter"]))
    @settings(max_examples=8, deadline=None)
    def test_are_what_the_lines_above_come_to_on_both_sides_of_the_page_break(self, count: int, paper: str) -> None:
        found = pages(an_invoice(count, paper=paper))
        seen = 0
        for here, following in pairwise(found):
            seen += len(re.findall(r"Article \d+\.", here))
            if "Article" not in following:
                break
            carried = f"{D('10.10') * seen:,.2f}"
            assert f"Carried forward\n{carried}" in here or f"Carried forward {carried}" in here
            assert f"Brought forward\n{carried}" in following or f"Brought forward {carried}" in following

    def test_lines_are_counted_through(self) -> None:
        text = "\n".join(pages(an_invoice(120)))
        assert [number for number in range(1, 121) if not re.search(rf"\b{number}\s+Article {number}\.", text)] == []

    def test_one_page_carries_nothing(self) -> None:
        (page,) = pages(an_invoice())
        assert "forward" not in page

    def test_a_line_longer_than_a_page_is_carried_with_its_amount(self) -> None:
        lines = an_invoice(3).lines
        long = replace(lines[1], description="word " * 3_000)
        found = pages(an_invoice(lines=(lines[0], long, lines[2])))
        assert sum(page.count("word") for page in found) == 3_000
        assert all("ITEM" in page for page in found if "word" in page)
        assert "20.20" in found[1].split("word")[0]


class TestPaper:
    @pytest.mark.parametrize(("paper", "size"), [("A4", (595, 842)), ("Letter", (612, 792))])
    def test_is_the_one_asked_for(self, paper: str, size: tuple[int, int]) -> None:
        for printable in (an_invoice(paper=paper), a_statement(paper=paper)):
            box = PdfReader(BytesIO(render(printable))).pages[0].mediabox
            assert (round(box.width), round(box.height)) == size


class TestMarks:
    @pytest.mark.parametrize("mark", Mark)
    def test_each_is_printed_in_the_documents_language(self, mark: Mark) -> None:
        for tag in ("en-US", "de-DE", "ja"):
            assert language(tag).mark(mark) in pages(an_invoice(mark=mark, language=tag))[0]

    def test_the_words_of_a_bookkeeper(self) -> None:
        marks = (Mark.DRAFT, Mark.PAID, Mark.VOID, Mark.OVERDUE, Mark.PARTIALLY_PAID)
        assert [language("en").mark(mark) for mark in marks] == ["DRAFT", "PAID", "VOID", "OVERDUE", "PARTIALLY PAID"]


class TestLanguages:
    @pytest.mark.parametrize("tag", LANGUAGES)
    def test_each_has_every_word_in_characters_that_the_fonts_have(self, tag: str) -> None:
        words = language(tag).words
        assert words.keys() == language("en").words.keys()
        assert all(words.values())
        assert warnings(an_invoice(notes="".join(words.values()))) == ()

    @pytest.mark.parametrize("tag", LANGUAGES)
    def test_an_invoice_and_a_statement_say_their_words(self, tag: str) -> None:
        words = language(tag).words
        invoice = " ".join("\n".join(pages(an_invoice(60, language=tag))).split())
        statement = " ".join("\n".join(pages(a_statement(language=tag))).split())
        for word in (
            "bill_to",
            "due_date",
            "amount_paid",
            "balance_due",
            "notes",
            "carried_forward",
            "brought_forward",
        ):
            assert words[word] in invoice or language(tag).upper(words[word]) in invoice
        for word in ("statement", "period", "opening_balance", "closing_balance", "invoiced", "received", "payment"):
            assert words[word] in statement or language(tag).upper(words[word]) in statement
        assert words["page"].format(page=1, pages=3) in invoice

    def test_greek_capitals_bear_no_accents(self) -> None:
        assert "ΤΙΜΟΛΟΓΙΟ" in pages(an_invoice(language="el"))[0]

    @pytest.mark.parametrize("tag", ["xx", "tlh-Latn", "", "../de", "not a tag"])
    def test_an_unknown_one_is_english(self, tag: str) -> None:
        assert "Due date" in pages(an_invoice(language=tag))[0]

    def test_german_numbers_and_dates(self) -> None:
        text = pages(an_invoice(language="de-DE", total=D("1234.50"), balance=D("1234.50")))[0]
        for said in (
            "RECHNUNG",
            "04.03.2026",
            "Fällig am",
            "19\xa0% USt. auf 1.000,00",
            "1.234,50\xa0€",
            "−234,50",
            "Seite 1 von 1",
        ):
            assert said in text

    def test_a_page_from_right_to_left_begins_at_the_right(self) -> None:
        def x_of(tag: str, said: str) -> float:
            found: list[float] = []

            def visit(text: str, _cm: object, matrix: list[float], _font: object, _size: object) -> None:
                if said in text:
                    found.append(matrix[4])

            PdfReader(BytesIO(render(an_invoice(language=tag)))).pages[0].extract_text(visitor_text=visit)
            return found[0]

        assert x_of("en", "INV-000007") > 300 > x_of("ar-EG", "INV-000007")
        assert x_of("en", "Article 1.") < 300 < x_of("ar-EG", "Article 1.")


class TestSums:
    def test_discounts_adjustment_and_payments_step_by_step(self) -> None:
        document = an_invoice(
            sub_total=D("1000.00"), discount_total=D("150.00"), document_discount=D("50.00"), discount_percentage=D(5),
            adjustment=D("-0.03"), adjustment_description="Rounding", total=D("1039.97"), balance=D("805.47"),
        )  # fmt: skip
        text = pages(document)[0]
        steps = (
            "before discount", "1,000.00", "−100.00", "Discount (5%)", "−50.00", "Tax 19% on", "190.00", "Rounding",
            "−0.03", "€1,039.97", "Amount paid", "−234.50", "Balance due", "€805.47",
        )  # fmt: skip
        places = [text.index(step, text.index("before discount")) for step in steps]
        assert places == sorted(places)

    def test_an_estimate_says_nothing_of_payments(self) -> None:
        text = pages(an_invoice(kind="estimate", amount_paid=None, balance=None))[0]
        assert "ESTIMATE" in text
        assert "Expiry date" in text
        assert "Balance" not in text

    def test_units_and_details_are_printed(self) -> None:
        lines = tuple(replace(line, unit="hours") for line in an_invoice().lines)
        text = pages(an_invoice(lines=lines, organization_details=("Tax no. 12/345", "+49 30 1234")))[0]
        assert text.count("hours") == 3
        assert "Tax no. 12/345" in text
        assert "+49 30 1234" in text


class TestStatement:
    def test_says_every_row_and_the_balances(self) -> None:
        text = pages(a_statement())[0]
        for said in (
            "STATEMENT", "Berglunds snabbköp", "Jan 1, 2026 – Mar 31, 2026", "Opening balance", "50.00",
            "Invoice INV-000002", "350.00", "Payment PAY-1", "325.00", "Invoiced", "300.00", "Received", "−25.00",
            "Closing balance", "€325.00",
        ):  # fmt: skip
            assert said in text

    def test_over_several_pages_carries_the_balance(self) -> None:
        found = pages(a_statement(100))
        assert len(found) > 2
        last = re.findall(r"INV-\d{6}", found[0])[-1]
        balance = f"{D('50.00') + D(100) * (int(last[4:]) + 1):,.2f}"
        assert balance in found[0].split("Carried forward")[1]
        assert balance in found[1].split("Brought forward")[1][:20]
