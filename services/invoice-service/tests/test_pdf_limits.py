"""Documents with very much in them: nothing leaves the page, and memory grows with what is printed alone."""

import tracemalloc
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from invoice_service.pdf import Mark, PrintableDocument, PrintableLine, PrintableTax, render
from PIL import Image
from pypdf import PdfReader

D = Decimal


def an_invoice(count: int = 1, **changes: object) -> PrintableDocument:
    document = PrintableDocument(
        kind="invoice",
        number="INV-000007",
        date=date(2026, 3, 4),
        end_date=date(2026, 4, 3),
        currency_code="EUR",
        minor_unit=2,
        organization_name="Northwind Traders",
        customer_name="Berglunds snabbköp",
        lines=tuple(
            PrintableLine(name=f"Article {number}.", quantity=D(1), rate=D("10.10"), item_total=D("10.10"))
            for number in range(1, count + 1)
        ),
        sub_total=D("10.10") * count,
        discount_total=D(0),
        total=D("10.10") * count,
        balance=D("1000.00"),
    )
    return replace(document, **changes)  # type: ignore[arg-type]


def pages(document: PrintableDocument) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(render(document))).pages]


def peak(document: PrintableDocument) -> int:
    """The most bytes that are in use while the document is printed."""
    tracemalloc.start()
    try:
        render(document)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def texts_off_the_page(document: PrintableDocument) -> list[str]:
    """What stands outside the margins, or below the line of the footer without being the footer."""
    found: list[str] = []
    for page in PdfReader(BytesIO(render(document))).pages:
        footer = []

        def visit(text: str, _cm: object, matrix: list[float], _font: object, _size: object, into=footer) -> None:  # type: ignore[no-untyped-def]
            if text.strip() and not (58 <= matrix[5] <= 842 and 18 <= matrix[4] <= 595):
                into.append((round(matrix[5], 1), text))

        page.extract_text(visitor_text=visit)
        line = {y for y, text in footer if "Page " in text}
        found += [text for y, text in footer if y not in line]
    return found


class TestNothingLeavesThePage:
    def test_very_many_tax_rates_go_on_to_the_next_page_and_the_total_with_the_last(self) -> None:
        taxes = tuple(PrintableTax(tax_percentage=D(n) / 4, taxable=D(10), tax=D(1)) for n in range(1, 81))
        for count in (1, 12):
            document = an_invoice(count, taxes=taxes)
            assert texts_off_the_page(document) == []
            found = pages(document)
            assert sum(page.count("Tax ") for page in found) == 80
            assert "Tax 20% on" in found[-1]
            assert "Balance due" in found[-1]

    @pytest.mark.parametrize("char", ["W", "国", "م", "i"])
    @pytest.mark.parametrize("paper", ["A4", "Letter"])
    def test_the_letterhead_with_every_field_as_long_as_can_be(self, char: str, paper: str) -> None:
        logo = BytesIO()
        Image.new("RGB", (60, 60), "teal").save(logo, "PNG")
        long = char * 255
        document = an_invoice(
            1, paper=paper, logo=logo.getvalue(), organization_name=long, organization_address=(long,) * 4,
            organization_details=(long,) * 4, customer_name=long, attention=long, billing_address=(long,) * 4,
            reference_number=long, number=f"{char * 20}-000001", mark=Mark.PARTIALLY_PAID,
        )  # fmt: skip
        assert texts_off_the_page(document) == []
        assert "Article 1." in pages(document)[0]


class TestMemory:
    def test_grows_with_the_lines_and_stays_small(self) -> None:
        peak(an_invoice(1))
        hundred, thousand = peak(an_invoice(100)), peak(an_invoice(1_000))
        assert thousand < 12 * hundred
        assert thousand < 8_000_000

    @pytest.mark.parametrize("word", ["مرحبا", "שלום", "हिन्दी", "a\u0301x\u0323"])
    def test_of_a_word_without_end_grows_with_its_length_alone(self, word: str) -> None:
        peak(an_invoice(notes=word * 200))
        assert peak(an_invoice(notes=word * 1_600)) < 8 * peak(an_invoice(notes=word * 400))
